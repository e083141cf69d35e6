"""Tiny pipelines with random weights, through the real loading code: they draw, edit and are remembered like any model.

Against the pipelines themselves: lienzo's solvers over a pipeline's network take the steps of its own scheduler.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.edit.run import edit
from lienzo.core import CheckpointError, ConfigurationError, Encodes, Streams, require
from lienzo.editing import space_of
from lienzo.pretrained.coder import packed, unpacked
from lienzo.pretrained.latent import PretrainedLatent
from lienzo.pretrained.levels import Shifted, Tabulated
from lienzo.sampling import SOLVERS

Load = Callable[[str], lienzo.Model]
FEW = {"steps": 2}


def pixels(image: Image.Image | Path) -> np.ndarray:
    return np.asarray(image if isinstance(image, Image.Image) else Image.open(image))


def given(model: lienzo.Model) -> dict[str, Any]:
    """What a model has to be given besides words."""
    picture, mask = Image.new("RGB", (16, 16), "green"), Image.new("L", (16, 16), 255)
    maps = {"mask": mask, "control": picture}
    heard = {name: maps[name] for name in maps if name in model.bus.names}
    return {"image": picture if "image" in model.bus.names else None, "map": heard or None}


@pytest.mark.parametrize(
    "name", ["stable", "xl", "stable-3", "flux,size=16", "qwen,size=16", "kontext,size=16", "instruct", "inpaint",
             "plain", "stable,task=image-to-image"],
)  # fmt: skip
def test_picture_i_is_the_same_however_many_are_drawn_and_looked_at(model: Load, name: str):
    used, seen = model(name), list[tuple[int, int]]()
    words = "a house" if "text" in used.bus.names else None
    asked = {"seed": 4, "steps": 2, **given(used)}
    several = used.generate(words, count=2, **asked)
    watched = used.generate(words, count=1, previews=lambda p: seen.append((p.step, p.steps)), **asked)
    assert (pixels(several[0]) == pixels(watched[0])).all()
    assert (pixels(several[0]) != pixels(several[1])).any()
    assert seen[-1] == (2, 2)
    assert several[0].size == (16, 16)
    if words:
        other = used.generate("snow", count=1, **asked)
        assert (pixels(other[0]) != pixels(several[0])).any()


SCHEDULED = [
    ("stable", "ddim", 1.0), ("stable", "ddim", 3.0), ("velocity", "ddim", 1.0), ("xl", "euler", 3.0),
    ("stable-3", "euler", 3.0), ("flux,size=16", "euler", 1.0), ("qwen,size=16", "euler", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "solver", "weight"), SCHEDULED)
def test_the_network_asked_step_by_step_draws_what_its_pipeline_draws(
    model: Load, name: str, solver: str, weight: float
):
    used = model(name)
    family = used.family
    assert isinstance(family, PretrainedLatent)
    pipeline, codes, schedule = family.whole.it.pipeline, family.inner, family.inner.schedule
    z, said = Streams(0, [5]).normal(*codes.shape), used.bus.parse({"text": ["a house"]}, 1)
    tokens = codes.architecture.packed
    plain = {"true_cfg_scale": 1.0} if name.startswith("qwen") else {} if tokens else {"guidance_scale": weight}
    own = pipeline(prompt="a house", latents=packed(z) if tokens else z, num_inference_steps=4, output_type="latent",
                   height=16, width=16, **plain).images  # fmt: skip
    if isinstance(schedule, Shifted):
        sigmas = pipeline.scheduler.sigmas.double()
        times = schedule.at(((1 - sigmas) / sigmas).log())
    else:
        times = torch.cat([1 - (pipeline.scheduler.timesteps.double() + 1) / 1000, torch.ones(1, dtype=torch.float64)])
    knots = schedule.knots(times)
    start = z * knots[0].sigma if name == "xl" else z  # its scheduler scales what it is given
    denoise = space_of(family).denoiser(said, weight)
    ours = list(SOLVERS[solver].run(denoise, start, knots, Streams(0, [5])))[-1][1]
    theirs = unpacked(own, codes.shape[1]).reshape(ours.shape) if tokens else own
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    if tokens:  # levels are shifted by the number of tokens
        torch.testing.assert_close(schedule.sigma(schedule.grid(4)), sigmas, atol=1e-6, rtol=0)


def test_a_solver_of_lienzo_draws_under_guidance(model: Load):
    used = model("stable")
    drawn = [used.generate("a house", count=1, steps=3, guidance=w, solver="dpm++2m")[0] for w in (1.0, 4.0)]
    assert (pixels(drawn[0]) != pixels(drawn[1])).any()
    assert json.loads(drawn[0].info["lienzo"])["options"]["solver"] == "dpm++2m"


@pytest.mark.parametrize("schedule", [Tabulated(torch.linspace(0.999, 0.005, 100)), Shifted(3.0), Shifted(1.0)])
def test_schedules_know_their_own_inverse_and_slope(schedule: Any):
    t = torch.linspace(0.0537, 0.9537, 37, dtype=torch.float64)  # between the knots of the table
    torch.testing.assert_close(schedule.at(schedule.lam(t)), t)
    h = 1e-6
    for value, slope in ((schedule.alpha, schedule.alpha_dot), (schedule.sigma, schedule.sigma_dot)):
        torch.testing.assert_close((value(t + h) - value(t - h)) / (2 * h), slope(t), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["stable", "flux,size=16", "qwen,size=16"])
def test_codes_are_the_pipelines_own(model: Load, name: str):
    family = model(name).family
    assert isinstance(family, PretrainedLatent)
    vae, z = family.whole.it.pipeline.vae, Streams(0, [1, 2]).normal(*family.inner.shape)
    if name.startswith("qwen"):
        mean, deviation = (torch.tensor(vae.config[f"latents_{what}"]).view(-1, 1, 1) for what in ("mean", "std"))
        raw = (z * deviation + mean)[:, :, None]
    else:
        raw = z / vae.config.scaling_factor + (vae.config.shift_factor or 0)
    with torch.no_grad():
        wanted = vae.decode(raw).sample
    wanted = wanted[:, :, 0] if name.startswith("qwen") else wanted
    torch.testing.assert_close(family.decode(z), wanted, atol=1e-5, rtol=1e-5)
    x = wanted.clamp(-1, 1)
    torch.testing.assert_close(require(family, Encodes).encode(x)[:1], family.encode(x[:1]), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("name", "how"),
    [("stable", "inpaint"), ("stable", "redraw"), ("stable", "invert"), ("flux,size=16", "inpaint"),
     ("qwen,size=16", "redraw"), ("instruct", "instruct"), ("inpaint", "instruct"), ("inpaint", "outpaint"),
     ("kontext,size=16", "instruct")],
)  # fmt: skip
def test_what_is_kept_is_the_same_under_every_kind(model: Load, house: Path, tmp_path: Path, name: str, how: str):
    kept = {} if how == "outpaint" else {"keep": str(house.with_name("left.png"))}
    done = edit(house, "snow", model=model(name), how=how, options=FEW, seed=2, count=2, **kept)
    after, before = pixels(done.images[1]), pixels(house)
    assert done.changes[1].kept_largest == 0
    if how == "outpaint":
        assert (after[10:40, 10:50] == before).all()
    else:
        assert (after[:, :20] == before[:, :20]).all()
        assert (after[:, 20:] != before[:, 20:]).any()
    assert (after != pixels(done.images[0])).any() == (how != "invert")  # which draws no noise
    if name in ("stable", "instruct"):  # one of each kind: the model is loaded anew
        assert lienzo.reproduce(lienzo.save(done.images[1], tmp_path / "edit.png")).same


def test_ways_are_chosen_by_what_a_pipeline_hears(model: Load, house: Path):
    left = str(house.with_name("left.png"))
    assert edit(house, "snow", model=model("stable"), keep=left, options=FEW).how == "inpaint"
    assert edit(house, "snow", model=model("instruct"), keep=left, options=FEW).how == "instruct"
    found = edit(house, "snow", model=model("stable"), change="the house", options=FEW)
    assert found.guessed


def test_a_mask_and_words_are_heard(model: Load):
    used = model("inpaint")
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8))
    masks = [Image.new("L", (16, 16), value) for value in (0, 255)]
    drawn = [used.generate("snow", count=1, steps=2, image=picture, map={"mask": mask})[0] for mask in masks]
    assert (pixels(drawn[0]) != pixels(drawn[1])).any()


def test_a_control_network_is_loaded_and_its_map_heard(tiny: Callable[[str], Path]):
    used = lienzo.load(tiny("stable"), controlnet=str(tiny("stable").with_name("control")))
    assert used.bus.names == ["text", "control"]
    assert f"controlnet={tiny('stable').with_name('control')}" in used.name
    with pytest.raises(ConfigurationError, match=r"needs a picture: control(.|\n)*--map control=FILE"):
        used.generate("a house", count=1, steps=2)
    maps = [Image.new("RGB", (16, 16), colour) for colour in ("black", "red")]
    assert all(used.generate("a house", count=1, steps=2, map={"control": each})[0].size == (16, 16) for each in maps)


def test_a_picture_is_changed_over_a_map(tiny: Callable[[str], Path], house: Path):
    control = str(tiny("stable").with_name("control"))
    used = lienzo.load(tiny("stable"), controlnet=control, task="inpainting")
    assert used.bus.names == ["text", "image", "mask", "control"]
    lines = house.with_name("lines.png")
    Image.new("L", (40, 30)).save(lines)
    asked = {"model": used, "keep": str(house.with_name("left.png")), "options": FEW}
    done = edit(house, "snow", said={"control": str(lines)}, **asked)
    assert done.how == "instruct"
    assert done.changes[0].kept_largest == 0
    assert str(lines) in json.loads(done.images[0].info["lienzo"])["files"]
    with pytest.raises(ConfigurationError, match=r"needs a picture: control(.|\n)*--said control=FILE"):
        edit(house, "snow", **asked)


def test_a_picture_is_made_again_from_its_record(model: Load, tmp_path: Path):
    used = model("stable,tiling=yes,slicing=yes")
    assert used.family.whole.it.pipeline.vae.use_tiling  # type: ignore[union-attr]
    images = used.generate("a house", count=2, seed=9, steps=2, options={"negative": "rain", "size": "24x16"})
    assert images[1].size == (24, 16)
    record = json.loads(images[1].info["lienzo"])
    assert record["model"].endswith("stable,slicing=yes,tiling=yes")
    assert record["options"]["guidance"] == 7.5
    assert record["conditions"] == {"text": "a house"}
    made = lienzo.reproduce(lienzo.save(images[1], tmp_path / "a.png"))
    assert made.same
    assert not made.differs
    plain = used.generate("a house", count=2, seed=9, steps=2, options={"size": "24x16"})
    assert (pixels(plain[1]) != pixels(images[1])).any()
    assert model("velocity").weights != used.weights  # the same tensors under another configuration


def refused(says: str, make: Callable[[], object], error: type[Exception] = ConfigurationError) -> None:
    with pytest.raises(error, match=says) as caught:
        make()
    assert "\n" not in getattr(caught.value, "what", "\n")


def test_what_cannot_be_done_is_said_in_one_sentence(
    model: Load, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    stable, folder, nowhere = model("stable"), tiny("stable"), "no-owner-at-all/no-model"
    refused("multiples of 2 pixels", lambda: stable.generate("a", steps=1, options={"size": "15"}))
    refused("no argument colour", lambda: stable.generate("a", steps=1, options={"extra": {"colour": 1}}))
    refused("hears no option 'negative'", lambda: model("plain").generate(steps=1, options={"negative": "rain"}))
    refused("needs a picture: image", lambda: model("instruct").generate("snow", steps=1))
    refused("the solver euler hears no size", lambda: stable.generate("a", solver="euler", options={"size": 16}))
    refused("there is no GPU", lambda: lienzo.load(folder, offload="model", device="cpu"))
    refused("needs a GPU", lambda: lienzo.load(folder, quantize="8bit", device="cpu"))
    refused("not on this machine(.|\n)*HF_HUB_OFFLINE", lambda: lienzo.load(nowhere), CheckpointError)

    def no_memory(*_: Any, **__: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate …")

    pipeline = model("inpaint").family.pipeline  # type: ignore[union-attr]
    monkeypatch.setattr(type(pipeline), "__call__", no_memory)
    refused("not enough memory", lambda: model("inpaint").generate("a", steps=1, **given(model("inpaint"))))


def test_a_damaged_folder_is_said_in_one_sentence(tiny: Callable[[str], Path], tmp_path: Path):
    copy = Path(shutil.copytree(tiny("stable"), tmp_path / "copy"))
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    refused("copy", lambda: lienzo.load(copy), CheckpointError)
    weights.unlink()
    refused("copy cannot be loaded", lambda: lienzo.load(copy), CheckpointError)
