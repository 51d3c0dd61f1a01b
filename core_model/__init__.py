"""DeepLab V3+ with Xception: networks, weights, prediction and scores, for any Python program (numpy in, numpy out)."""

from __future__ import annotations

from core_model import import_keras
from core_model.card import Card, WeightsError
from core_model.checkpoint import (
    file_sha256,
    load_backbone,
    load_head,
    load_network,
    read_card,
    save_backbone,
    save_head,
    save_network,
)
from core_model.deeplab import DeepLab, build
from core_model.device import DeviceError, choose_device
from core_model.engines import EngineError, best_engine
from core_model.features import Features
from core_model.heads import HEADS, AsppDecoderHead, Head, LinearHead, VotingHead
from core_model.import_tensorflow import from_tensorflow
from core_model.inherit import can_continue
from core_model.loading import find_backbone, load
from core_model.metrics import Confusion
from core_model.multiscale import predict_at_scales
from core_model.predictor import Prediction, Predictor
from core_model.resume import fraction_kept
from core_model.tiles import predict_in_tiles
from core_model.transforms import padded_length, to_input, upsample
from core_model.variants import VARIANTS, Variant
from core_model.xception import Backbone, Xception

__all__ = [
    "HEADS",
    "VARIANTS",
    "AsppDecoderHead",
    "Backbone",
    "Card",
    "Confusion",
    "DeepLab",
    "DeviceError",
    "EngineError",
    "Features",
    "Head",
    "LinearHead",
    "Prediction",
    "Predictor",
    "Variant",
    "VotingHead",
    "WeightsError",
    "Xception",
    "best_engine",
    "build",
    "can_continue",
    "choose_device",
    "file_sha256",
    "find_backbone",
    "fraction_kept",
    "from_tensorflow",
    "import_keras",
    "load",
    "load_backbone",
    "load_head",
    "load_network",
    "padded_length",
    "predict_at_scales",
    "predict_in_tiles",
    "read_card",
    "save_backbone",
    "save_head",
    "save_network",
    "to_input",
    "upsample",
]
