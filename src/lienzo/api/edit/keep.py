"""What an instruction says of what shall stay: "…; keep the building", "…, sin tocar el edificio"."""

from __future__ import annotations

import re

ARTICLE = r"(?:(?:the|my|el|la|los|las|mis?)\s+)?"
THING = r"(?P<what>[^\W\d_][\w' -]*?)"
PAUSE = r"(?:\s*[,;.]+\s*(?:(?:and|but|y|pero)\s+)?|\s+(?:and|but|y|pero)\s+)"  # without it, "a dog keep smiling"
AS_IT_WAS = (
    r"(?:as (?:it|they) (?:is|was|are|were)|unchanged|untouched|alone|igual(?:es)?|tal cual|como est(?:[aá]n?|aban?))"
)
IN_IT = r"(?:in the (?:original )?(?:image|picture)|(?:de|en) la (?:imagen|foto)(?: original)?)"
FORMS = tuple(
    re.compile(rf"{opens}\s+{ARTICLE}{THING}{ends}[\s.!]*$", re.IGNORECASE)
    for opens, ends in (
        (rf"{PAUSE}(?:keep|mant[eé]n|conserva)", rf"(?:\s+(?:{AS_IT_WAS}|{IN_IT}))*"),
        (rf"{PAUSE}(?:leave|deja)", rf"(?:\s+{IN_IT})?\s+{AS_IT_WAS}(?:\s+{IN_IT})?"),
        (r"(?:\s*[,;.]+)?\s+(?:without (?:touching|changing)|sin (?:tocar|cambiar))", rf"(?:\s+{IN_IT})?"),
    )
)
# The rest is what an edit leaves alone anyway; and what is asked for after "and" is no thing to keep.
REST = re.compile(
    r"^(?:every(?:thing|body|one)|all|the rest|rest|nothing|anything|it|them|this|that|todo|lo|resto|nada)\b"
    r"|\b(?:and|but|y|pero)\s+(?:make|add|let|turn|change|remove|put|paint|it|there|haz|añade|que|cambia|quita|pon|pinta)\b",
    re.IGNORECASE,
)


def split_keep(instruction: str) -> tuple[str, str]:
    """Take what shall stay off an instruction's end; "keep everything else" remains in the words.

    >>> split_keep("it's snowing; keep the building in the original image")
    ("it's snowing", 'building')
    >>> split_keep("está nevando, sin tocar el edificio")
    ('está nevando', 'edificio')
    >>> split_keep("a castle keep at night")
    ('a castle keep at night', '')
    """
    for form in FORMS:
        found = form.search(instruction)
        if found is not None and instruction[: found.start()].strip(" ,;.") and not REST.search(found["what"]):
            return instruction[: found.start()].strip(), found["what"].strip()
    return instruction, ""
