"""Backbones that know nothing of families: `network(x, t, channels) -> tensor of the shape of x`."""

from lienzo.networks.coders import Decoder, Encoder
from lienzo.networks.transformer import PatchTransformer
from lienzo.networks.unet import UNet

__all__ = ["Decoder", "Encoder", "PatchTransformer", "UNet"]
