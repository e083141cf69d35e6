"""What may be said of a scene, as templates.

{en} is "a dog", {un} "un perro", {el} "el perro", {o} the ending of an adjective ("cubiert{o}"). A template without any
of them speaks of the weather alone.
"""

from __future__ import annotations

from collections.abc import Mapping

Templates = tuple[str, ...]

ENGLISH: Mapping[str, Templates] = {
    "snow": (
        "{en} in the snow", "{en} covered in snow", "{en}, it is snowing", "{en} with snow falling",
        "snow falls on {en}", "it is snowing on {en}", "{en} under falling snow", "a snowy day with {en}",
        "{en} with snow on top", "{en} in winter, snow everywhere", "{en} on white snow", "{en} in a snowfall",
        "snow covers {en}",
    ),
    "rain": (
        "{en} in the rain", "{en}, it is raining", "rain falls on {en}", "{en} on a rainy day", "it is raining on {en}",
        "{en} getting wet", "{en} under a grey rainy sky", "a rainy day with {en}", "{en} with rain falling",
    ),
    "night": (
        "{en} at night", "{en} under the stars", "{en} under the moon", "a starry night with {en}",
        "{en} on a dark night", "at night, {en}", "{en} at night with a full moon", "{en} under a night sky",
    ),
    "day": (
        "{en} under a blue sky", "{en} on a sunny day", "{en} on a clear day", "{en} outdoors", "{en} in good weather",
    ),
    "sunset": ("{en} at sunset", "{en} in the evening", "a sunset with {en}", "{en} under an orange sky"),
    "snow night": ("{en} on a snowy night", "{en} at night, it is snowing", "snow falls on {en} at night"),
    "grass": ("{en} on the grass", "{en} in a green meadow"),
    "hills": ("{en} in the hills", "{en} in the countryside"),
    "sand": ("{en} on the sand", "{en} on the beach"),
    "street": ("{en} in the street", "{en} on the road"),
}  # fmt: skip
SPANISH: Mapping[str, Templates] = {
    "snow": (
        "{un} en la nieve", "{un} cubiert{o} de nieve", "está nevando sobre {el}", "nieva sobre {el}",
        "{un} bajo la nieve", "{un}, está nevando", "cae nieve sobre {el}", "un día de nieve con {un}",
        "{un} con nieve encima", "{un} en invierno, todo con nieve", "la nieve cubre {el}",
    ),
    "rain": (
        "{un} bajo la lluvia", "está lloviendo sobre {el}", "llueve sobre {el}", "{un} en un día de lluvia",
        "{un}, está lloviendo", "{un} mojándose bajo la lluvia", "un día lluvioso con {un}",
    ),
    "night": (
        "{un} de noche", "{un} bajo las estrellas", "{un} por la noche", "de noche, {un}", "{un} bajo la luna",
        "una noche estrellada con {un}", "{un} en la noche oscura",
    ),
    "day": ("{un} bajo un cielo azul", "{un} en un día de sol", "{un} al aire libre", "{un} con buen tiempo"),
    "sunset": ("{un} al atardecer", "{un} con la puesta de sol", "un atardecer con {un}"),
    "snow night": ("{un} en una noche de nieve", "{un} de noche, está nevando", "nieva de noche sobre {el}"),
    "grass": ("{un} en la hierba", "{un} en un prado verde"),
    "hills": ("{un} en las colinas", "{un} en el campo"),
    "sand": ("{un} en la arena", "{un} en la playa"),
    "street": ("{un} en la calle", "{un} en la carretera"),
}  # fmt: skip
WEATHER: Mapping[str, tuple[Templates, Templates]] = {
    "snow": (
        ("everything is covered in snow", "it is snowing", "snow falls on everything", "a snowy landscape",
         "heavy snowfall", "everything white with snow"),
        ("todo cubierto de nieve", "está nevando", "cae la nieve", "un paisaje con nieve", "nieva mucho",
         "todo blanco por la nieve"),
    ),
    "rain": (("it is raining", "a rainy day"), ("está lloviendo", "un día de lluvia")),
    "night": (("a starry night", "it is night"), ("una noche con estrellas", "es de noche")),
}  # fmt: skip
BESIDE: tuple[tuple[str, str], ...] = (("next to", "junto a"), ("in front of", "delante de"), ("beside", "al lado de"))
"""What joins two things, in both languages: the nearer one, then the one behind it."""
ACTS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "walking": (("walking", "caminando", "camina"), ("taking a walk", "dando un paseo", "pasea")),
    "running": (("running", "corriendo", "corre"), ("jogging", "corriendo", "corre")),
    "jumping": (("jumping", "saltando", "salta"), ("jumping for joy", "saltando de alegría", "salta de alegría")),
    "waving": (("waving", "saludando", "saluda"), ("waving a hand", "saludando con la mano", "saluda con la mano")),
}
"""What a figure does: in English, in Spanish as in "corriendo", and as in "que corre"."""
SHIRTS: Mapping[str, tuple[str, str]] = {
    "red": ("a red shirt", "roja"), "blue": ("a blue shirt", "azul"), "green": ("a green shirt", "verde"),
    "yellow": ("a yellow shirt", "amarilla"), "purple": ("a purple shirt", "morada"),
    "orange": ("an orange shirt", "naranja"), "pink": ("a pink shirt", "rosa"), "white": ("a white shirt", "blanca"),
}  # fmt: skip
"""Shirts in English, and their colours in Spanish (feminine)."""
