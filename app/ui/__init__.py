"""The window: Qt only, never torch, never core_model."""
