"""Text: an open vocabulary of word vectors with a small transformer on top, or any `transformers` encoder."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import where_said
from lienzo.conditions.memory import Memory, words
from lienzo.core import ConditionError, Said, configurable

KEPT = 2_000  # texts whose hidden states are kept: a quarter of a megabyte each


@configurable("text")
class TextCondition(Condition):
    """Free text, heard as tokens and, pooled, in the vector channel.

    Words become fixed vectors in which unseen words lie near seen ones; a transformer that is trained with the model
    puts them in context.

    Args:
        length: how many words are heard, L; longer texts are cut.
        depth: layers of the transformer; 0 for none.
        heads: attention heads of each layer.
        encoder: "words" for the table that ships with lienzo; else a folder (or a hub name) of a `transformers`
            text encoder, which is kept frozen (needs the extra `pretrained`).
    """

    def __init__(self, length: int = 16, depth: int = 1, heads: int = 4, encoder: str = "words") -> None:
        super().__init__()
        self.length, self.depth, self.heads, self.encoder = length, depth, heads, encoder
        self._memory = Memory(length)

    @property
    def dimension(self) -> int:
        """The width of a word's vector."""
        return words().dimension if self.encoder == "words" else _pretrained(self.encoder).dimension

    def prepare(self, vector: int, token: int) -> None:
        """Create the projection, the transformer and the nulls."""
        self.project = nn.Linear(self.dimension, token)
        self.position = nn.Parameter(torch.randn(self.length, token) * 0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(token, self.heads, 4 * token, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(self.depth)
        )
        self.norm = nn.LayerNorm(token)
        self.pool = nn.Linear(token, vector)
        self.null_token = nn.Parameter(torch.randn(token) * 0.02)
        self.null_vector = nn.Parameter(torch.zeros(vector))

    def sizes(self, vector: int, token: int) -> Sizes:
        """Text uses the vector and the token channel."""
        return Sizes(vector=vector, token=token)

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn texts into word vectors (B, L, W) and their mask (B, L); an empty text is unsaid."""
        texts = ["" if v is None else self._text(v) for v in values]
        words, mask = self._vectors(texts)
        return Said((words, mask), mask.any(1))

    def unheard(self, text: str) -> tuple[list[str], list[str]]:
        """Return what is lost of a text: what is not understood of what is heard, and the words beyond the length.

        An encoder other than the table of words keeps its secrets: nothing is lost then.
        """
        if self.encoder != "words":
            return [], []
        table = words()
        said = table.split(text)
        strange = [word for word, language in table.spoken(text, self.length) if not table.knows(word, language)]
        if not said and text.strip():
            strange = [text.strip()]
        return list(dict.fromkeys(strange)), said[self.length :]

    def encode(self, said: Said) -> Channels:
        """Return tokens (B, L, E), their mask, and the pooled text (B, D)."""
        words, mask = said.values
        first = torch.arange(self.length, device=mask.device) == 0
        mask = where_said(said.present, mask, first)  # an unsaid text is one null token
        x = where_said(said.present, self.project(words) + self.position, self.null_token)
        bias = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill(~mask, float("-inf"))
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=bias)
        x = self.norm(x) * mask[..., None]
        pooled = self.pool(x.sum(1) / mask.sum(1, keepdim=True))
        return Channels(vector=where_said(said.present, pooled, self.null_vector), tokens=x, mask=mask)

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ConditionError(f"text must be a string, got {type(value).__name__} {value!r}")
        return value

    def _vectors(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return word vectors (B, L, W) and their mask (B, L)."""
        if self.encoder != "words":
            return _pretrained(self.encoder).encode(texts, self.length)
        return self._memory.read(texts)


class _Pretrained:
    """A frozen `transformers` encoder with the interface of the word table."""

    def __init__(self, name: str) -> None:
        try:
            import transformers  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise ConditionError(f"the text encoder {name!r} needs 'transformers'",
                                 hint="pip install 'lienzo[pretrained]'") from None  # fmt: skip
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name)
            model: Any = transformers.AutoModel.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise ConditionError(f"cannot load a text encoder from {name!r}: {error}",
                                 hint="the folder that save_pretrained wrote") from None  # fmt: skip
        # of a model with more than a text encoder (CLIP's image tower, T5's decoder), the text encoder alone
        alone = "text_model" if hasattr(model, "text_model") else "encoder"
        two_sided = alone == "text_model" or bool(getattr(model.config, "is_encoder_decoder", False))
        self.model: Any = getattr(model, alone) if two_sided else model
        self.model.requires_grad_(False).eval()
        self.dimension = int(model.config.get_text_config().hidden_size)
        self._known: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}

    def encode(self, texts: Sequence[str], length: int) -> tuple[Tensor, Tensor]:
        """Return the last hidden states (B, L, W) and their mask (B, L); those of some texts are kept."""
        if len(self._known) > KEPT:
            self._known.clear()
        new = list(dict.fromkeys(text for text in texts if (text, length) not in self._known))
        if new:
            hidden, mask = self._hidden(new, length)
            self._known.update({(t, length): (h, m) for t, h, m in zip(new, hidden, mask, strict=True)})
        pairs = [self._known[text, length] for text in texts]
        if not pairs:
            return torch.zeros(0, length, self.dimension), torch.zeros(0, length, dtype=torch.bool)
        return torch.stack([h for h, _ in pairs]), torch.stack([m for _, m in pairs])

    @torch.no_grad()
    def _hidden(self, texts: Sequence[str], length: int) -> tuple[Tensor, Tensor]:
        read = self.tokenizer(list(texts), padding="max_length", truncation=True, max_length=length,
                              return_tensors="pt")  # fmt: skip
        mask = read["attention_mask"].bool() & torch.tensor([bool(t.strip()) for t in texts])[:, None]
        hidden = self.model(input_ids=read["input_ids"], attention_mask=read["attention_mask"]).last_hidden_state
        return hidden.float(), mask


@functools.lru_cache(maxsize=2)
def _pretrained(name: str) -> _Pretrained:
    return _Pretrained(str(Path(name).expanduser()) if Path(name).expanduser().exists() else name)
