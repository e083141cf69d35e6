"""Pipelines of a few thousand random weights, built from configuration: what the real loading code is tried with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

diffusers: Any = pytest.importorskip("diffusers")
transformers: Any = pytest.importorskip("transformers")

WIDTH = 16


def text_parts(folder: Path) -> dict[str, Any]:
    """A CLIP text encoder and a tokenizer of single letters."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789'.,"
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=32)
    config = clip_config(len(words))
    return {"tokenizer": tokenizer, "text_encoder": transformers.CLIPTextModel(config).eval()}


def clip_config(count: int) -> Any:
    return transformers.CLIPTextConfig(
        vocab_size=count, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=32, projection_dim=WIDTH, bos_token_id=count - 2, eos_token_id=count - 1,
        pad_token_id=count - 1,
    )  # fmt: skip


def coder(channels: int = 4, **more: Any) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=channels, norm_num_groups=4, sample_size=16, **more,
    )  # fmt: skip


def unet(channels: int = 4, **more: Any) -> Any:
    return diffusers.UNet2DConditionModel(
        block_out_channels=(8, WIDTH), layers_per_block=1, sample_size=8, in_channels=channels, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH, norm_num_groups=4, attention_head_dim=4, **more,
    )  # fmt: skip


def t5(count: int, width: int) -> Any:
    config = transformers.T5Config(vocab_size=count, d_model=width, d_kv=4, d_ff=WIDTH, num_layers=1, num_heads=2,
                                   pad_token_id=count - 1)  # fmt: skip
    return transformers.T5EncoderModel(config).eval()


def stable(folder: Path, name: str = "StableDiffusionPipeline", channels: int = 4, prediction: str = "epsilon") -> Any:
    scheduler = diffusers.DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012,
                                        clip_sample=False, steps_offset=1, prediction_type=prediction)  # fmt: skip
    return getattr(diffusers, name)(
        vae=coder(), unet=unet(channels), scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False, **text_parts(folder / "words"),
    )  # fmt: skip


def stable_xl(folder: Path) -> Any:
    parts = text_parts(folder / "words")
    second = transformers.CLIPTextModelWithProjection(clip_config(parts["tokenizer"].vocab_size)).eval()
    network = unet(addition_embed_type="text_time", addition_time_embed_dim=4, transformer_layers_per_block=1,
                   projection_class_embeddings_input_dim=WIDTH + 6 * 4, use_linear_projection=True)  # fmt: skip
    network.register_to_config(cross_attention_dim=2 * WIDTH)
    network = diffusers.UNet2DConditionModel.from_config(network.config)
    return diffusers.StableDiffusionXLPipeline(
        vae=coder(), unet=network, scheduler=diffusers.EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        text_encoder_2=second, tokenizer_2=parts["tokenizer"], **parts,
    )  # fmt: skip


def flux(folder: Path, name: str = "FluxPipeline") -> Any:
    parts = text_parts(folder / "words")
    count = parts["tokenizer"].vocab_size
    network = diffusers.FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=WIDTH, pooled_projection_dim=WIDTH, axes_dims_rope=(2, 2, 4), guidance_embeds=True,
    )  # fmt: skip
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    return getattr(diffusers, name)(
        vae=coder(shift_factor=0.1, scaling_factor=0.4), transformer=network, scheduler=scheduler,
        text_encoder_2=t5(count, WIDTH), tokenizer_2=parts["tokenizer"], **parts,
    )  # fmt: skip


def stable_3(folder: Path) -> Any:
    parts = text_parts(folder / "words")
    count = parts["tokenizer"].vocab_size
    clips = [transformers.CLIPTextModelWithProjection(clip_config(count)).eval() for _ in "12"]
    network = diffusers.SD3Transformer2DModel(
        sample_size=8, patch_size=2, in_channels=4, out_channels=4, num_layers=1, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=2 * WIDTH, caption_projection_dim=WIDTH,
        pooled_projection_dim=2 * WIDTH, pos_embed_max_size=8,
    )  # fmt: skip
    return diffusers.StableDiffusion3Pipeline(
        vae=coder(shift_factor=0.1, scaling_factor=1.5), transformer=network,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0), text_encoder=clips[0], text_encoder_2=clips[1],
        text_encoder_3=t5(count, 2 * WIDTH), tokenizer=parts["tokenizer"], tokenizer_2=parts["tokenizer"],
        tokenizer_3=parts["tokenizer"],
    )  # fmt: skip


def qwen(folder: Path) -> Any:
    folder = folder / "qwen-words"
    folder.mkdir(parents=True, exist_ok=True)
    words = [*(chr(n) for n in range(33, 127)), "\u0120", "\u010a", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.Qwen2Tokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words) + 8, "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 2, "rope_scaling": {
                "type": "default", "rope_type": "default", "mrope_section": [1, 1, 2]},
        },
        vision_config={"depth": 1, "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_heads": 2,
                       "out_hidden_size": WIDTH},
    )  # fmt: skip
    network = diffusers.QwenImageTransformer2DModel(
        patch_size=2, in_channels=16, out_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=WIDTH, axes_dims_rope=(2, 2, 4),
    )  # fmt: skip
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, dim_mult=[1, 1], num_res_blocks=1, temperal_downsample=[False],
        latents_mean=[0.1, 0.2, 0.3, 0.4], latents_std=[1.0, 1.1, 1.2, 1.3],
    )  # fmt: skip
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    return diffusers.QwenImagePipeline(
        vae=vae, transformer=network, scheduler=scheduler, tokenizer=tokenizer,
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config).eval(),
    )  # fmt: skip


def unconditional(folder: Path) -> Any:
    network = diffusers.UNet2DModel(
        sample_size=16, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
    )  # fmt: skip
    return diffusers.DDPMPipeline(network, diffusers.DDPMScheduler(num_train_timesteps=50))


MAKERS = {
    "stable": stable,
    "velocity": lambda folder: stable(folder, prediction="v_prediction"),
    "xl": stable_xl,
    "flux": flux,
    "stable-3": stable_3,
    "qwen": qwen,
    "kontext": lambda folder: flux(folder, "FluxKontextPipeline"),
    "instruct": lambda folder: stable(folder, "StableDiffusionInstructPix2PixPipeline", 8),
    "inpaint": lambda folder: stable(folder, "StableDiffusionInpaintPipeline", 9),
    "plain": unconditional,
}


def saved(name: str, folder: Path) -> Path:
    """Build a pipeline from its configuration, seeded, and save it as one from the hub is."""
    state = torch.get_rng_state()
    torch.manual_seed(0)
    try:
        pipeline = MAKERS[name](folder)
        pipeline.save_pretrained(folder / name, safe_serialization=True)
        if name == "stable":
            diffusers.ControlNetModel.from_unet(
                pipeline.unet, conditioning_embedding_out_channels=(8, 8)
            ).save_pretrained(folder / "control")
    finally:
        torch.set_rng_state(state)
    return folder / name
