from __future__ import annotations

import pytest

from app.domain.classes import VOC_NAMES, ClassError, Classes, ClassLabel, voc_color


def test_the_palette_is_vocs() -> None:
    # the first rows and the last of VOC's own colour map
    assert [voc_color(index) for index in (0, 1, 2, 3, 4, 7, 8, 15, 20, 255)] == [
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 128, 128), (64, 0, 0), (192, 128, 128),
        (0, 64, 128), (224, 224, 192),
    ]  # fmt: skip
    palette = Classes.named(VOC_NAMES).palette()
    assert palette.shape == (256, 3)
    assert [tuple(row) for row in palette.tolist()] == [voc_color(index) for index in range(256)]


def test_new_classes_get_the_next_index_a_colour_and_a_free_key() -> None:
    classes = Classes.named(f"class {number}" for number in range(12))
    assert [label.index for label in classes] == list(range(12))
    assert "".join(label.key for label in classes) == "1234567890"
    assert classes.added("mine", (1, 2, 3))[12] == ClassLabel(12, "mine", (1, 2, 3), "")
    assert classes.added("mine", (1, 2, 3)).palette()[12].tolist() == [1, 2, 3]


def test_indices_stay_when_classes_change() -> None:
    classes = Classes((ClassLabel(7, "road", (9, 9, 9)), ClassLabel(2, "sky", (1, 1, 1), "4")))
    changed = classes.renamed(7, "street").recolored(2, (5, 6, 7)).added("tree")
    assert [(label.index, label.name, label.color, label.key) for label in changed] == [
        (2, "sky", (5, 6, 7), "4"),
        (7, "street", (9, 9, 9), ""),
        (8, "tree", voc_color(8), "1"),
    ]
    assert classes.names == ("sky", "road")


def test_found_by_index_and_by_name() -> None:
    classes = Classes.named(["Background", "car"])
    assert len(classes) == 2
    assert classes[1].name == "car"
    assert classes.by_name("car") is classes[1]
    assert classes.by_name("Car") is None
    with pytest.raises(KeyError):
        classes[2]


@pytest.mark.parametrize(
    ("name", "is_background"),
    [("background", True), ("_background_", True), ("BACKGROUND", True), ("a background", False)],
)
def test_the_background_goes_by_its_name(name: str, is_background: bool) -> None:
    background = Classes.named(["car", name]).background
    assert (background is not None and background.index == 1) == is_background


@pytest.mark.parametrize("name", ["", " ", " road", "road ", "two\nlines", "tab\tbed"])
def test_a_class_needs_a_name_on_one_line(name: str) -> None:
    with pytest.raises(ClassError):
        Classes.named([name])


def test_what_cannot_be() -> None:
    classes = Classes.named(["road", "sky"])
    with pytest.raises(ClassError, match="two classes have the name 'road'"):
        classes.added("road")
    with pytest.raises(ClassError, match="two classes have the name"):
        classes.renamed(0, "sky")
    with pytest.raises(ClassError, match="two classes have the index 0"):
        Classes((ClassLabel(0, "a", (0, 0, 0)), ClassLabel(0, "b", (0, 0, 0))))
    with pytest.raises(ClassError, match="two classes have the key '3'"):
        Classes((ClassLabel(0, "a", (0, 0, 0), "3"), ClassLabel(1, "b", (0, 0, 0), "3")))
    with pytest.raises(ClassError, match="index 255"):
        ClassLabel(255, "void", (0, 0, 0))
    with pytest.raises(ClassError, match="colour"):
        classes.recolored(0, (0, 0, 256))
    with pytest.raises(ClassError, match="key"):
        ClassLabel(0, "a", (0, 0, 0), "x")
    with pytest.raises(KeyError):
        classes.renamed(5, "tree")


def test_a_mask_holds_255_classes() -> None:
    classes = Classes.named(f"class {number}" for number in range(255))
    with pytest.raises(ClassError, match="0 to 254"):
        classes.added("one more")
