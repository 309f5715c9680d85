from __future__ import annotations

import numpy as np
import pytest
import torch

from archwise.evaluators.augment import augmentation, cutout, flip, shift
from archwise.tasks.task import Task


@pytest.fixture
def digits(task_folder):
    return torch.from_numpy(np.array(Task.load(task_folder("digits")).arrays("train")[0][:64]))


def shifts(image):
    """All pictures that moving one by at most one pixel can give."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return {padded[:, a : a + 8, b : b + 8].tobytes() for a in range(3) for b in range(3)}


def test_light_moves_digits_and_never_mirrors_them(digits):
    torch.manual_seed(0)
    moved = augmentation("image", "light")(digits)
    assert all(after.numpy().tobytes() in shifts(before.numpy()) for before, after in zip(digits, moved, strict=True))
    assert 30 < sum(not torch.equal(a, b) for a, b in zip(digits, moved, strict=True)) < 64


def test_half_of_the_pictures_are_mirrored(digits):
    torch.manual_seed(0)
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(digits, flip(digits), strict=True)]
    assert 16 < sum(mirrored) < 48


def test_cutout_blanks_one_rectangle_in_each_picture():
    torch.manual_seed(0)
    after = cutout(torch.ones(50, 3, 12, 12))
    for picture in after:
        rows, columns = (picture[0] == 0).any(1), (picture[0] == 0).any(0)
        assert 3 <= rows.sum() <= 5 and 3 <= columns.sum() <= 5
        assert (picture == 0).sum() == 3 * rows.sum() * columns.sum()
    assert len({picture.numpy().tobytes() for picture in after}) > 20


def test_strong_images_are_light_ones_and_more(digits):
    torch.manual_seed(0)
    changed = augmentation("image", "strong")(digits)
    assert changed.shape == digits.shape
    unlike = [a.numpy().tobytes() not in shifts(b.numpy()) for a, b in zip(changed, digits, strict=True)]
    assert sum(unlike) > 48


def test_series_keep_their_shape_and_most_of_their_form(shared_data):
    series = dict(np.load(shared_data / "sets" / "timeseries_classification.npz"))["GunPoint/X"][:40]
    x = torch.from_numpy(np.nan_to_num(series)).float()
    x = (x - x.mean()) / x.std()
    noise = {}
    for strength in ("light", "strong"):
        torch.manual_seed(0)
        after = augmentation("series", strength)(x)
        assert after.shape == x.shape
        noise[strength] = (after - x).square().mean().sqrt().item()
    assert 0.02 < noise["light"] < noise["strong"] < 0.5


@pytest.mark.parametrize(("kind", "strength"), [("image", "none"), ("series", "none"), ("table", "strong")])
def test_nothing_to_do_is_said(kind, strength):
    assert augmentation(kind, strength) is None


def test_narrow_pictures_can_be_moved():
    assert shift(torch.randn(4, 3, 1, 2)).shape == (4, 3, 1, 2)
