"""Pictures that are evaluated."""

import json

import pytest
import torch


@pytest.fixture(scope="module")
def animals(noise_animals):
    """Cats and dogs, 8 × 8: bright and dark noise."""
    return noise_animals(train=60, test=40)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path_factory.getbasetemp() / "evaluate-cache"))


@pytest.fixture
def tiny_clip():
    """What saves a CLIP of one layer on each side in a folder, and returns it."""
    transformers = pytest.importorskip("transformers")
    return lambda folder: saved_clip(transformers, folder)


def saved_clip(transformers, folder):
    """Save a CLIP with random weights, its preprocessing and a tokenizer of single letters; return it."""
    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    config = transformers.CLIPConfig(
        text_config={**size, **special, "vocab_size": len(words), "max_position_embeddings": 16},
        vision_config={**size, "image_size": 32, "patch_size": 8}, projection_dim=24,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.CLIPModel(config).eval()
    for parameter in model.parameters():
        parameter.data.mul_(4)  # of the size that they start with all pictures would be one
    model.save_pretrained(folder)
    shape = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=shape).save_pretrained(folder)
    return model
