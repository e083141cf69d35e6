"""How a change is asked for, as templates in English and in Spanish.

{the} is "the dog", {a} "a dog", {el} "el perro", {un} "un perro"; {new} and {nuevo} are what it gives way to;
{word} and {palabra} are a colour or a side.
"""

from __future__ import annotations

from collections.abc import Mapping

Wordings = tuple[tuple[str, ...], tuple[str, ...]]  # English, Spanish

HOURS: Mapping[str, Wordings] = {
    "snow": (
        ("it's snowing", "it is snowing", "it's snowing, everything is covered in snow", "make it snow", "add snow",
         "cover everything in snow", "turn it into a snowy day", "let snow fall on everything",
         "it is winter, snow falls"),
        ("está nevando", "nieva", "está nevando, todo está cubierto de nieve", "haz que nieve", "añade nieve",
         "cubre todo de nieve", "que nieve", "es invierno y cae la nieve"),
    ),
    "rain": (
        ("it's raining", "it is raining", "make it rain", "add rain", "turn it into a rainy day", "let it rain"),
        ("está lloviendo", "llueve", "haz que llueva", "añade lluvia", "un día de lluvia", "que llueva"),
    ),
    "night": (
        ("it is night", "make it night", "turn day into night", "change it to a dark night", "it's night now"),
        ("es de noche", "haz que sea de noche", "que sea de noche", "cámbialo a una noche oscura", "ahora es de noche"),
    ),
    "day": (
        ("make it a sunny day", "the weather is fine now", "a clear day with a blue sky", "the sun is shining",
         "change the weather to sunny"),
        ("haz que sea un día de sol", "ahora hace buen tiempo", "un día despejado de cielo azul", "brilla el sol",
         "cambia el tiempo a soleado"),
    ),
    "sunset": (
        ("make it sunset", "the sun is setting", "change it to the evening", "give it an orange evening sky"),
        ("haz que sea el atardecer", "se está poniendo el sol", "cámbialo al atardecer", "ponle un cielo naranja"),
    ),
}  # fmt: skip
GONE: Mapping[str, Wordings] = {
    "snow": (("remove the snow", "the snow has melted"), ("quita la nieve", "la nieve se ha derretido")),
    "rain": (("it has stopped raining", "stop the rain"), ("ha dejado de llover", "que pare la lluvia")),
}
"""Said before what it becomes, where it snowed or rained."""
ACTS: Mapping[str, Wordings] = {
    "add": (
        ("add {a}", "put {a} in the picture", "there is {a} too", "and there is {a}", "draw {a} behind",
         "place {a} there"),
        ("añade {un}", "pon {un} en la imagen", "también hay {un}", "y hay {un}", "dibuja {un} detrás", "coloca {un}"),
    ),
    "remove": (
        ("remove {the}", "take {the} away", "without {the}", "delete {the}", "erase {the} from the picture"),
        ("quita {el}", "elimina {el}", "sin {el}", "borra {el}", "borra {el} de la imagen"),
    ),
    "replace": (
        ("replace {the} with {new}", "turn {the} into {new}", "change {the} to {new}", "{new} instead of {the}",
         "put {new} in place of {the}"),
        ("sustituye {el} por {nuevo}", "convierte {el} en {nuevo}", "cambia {el} por {nuevo}", "{nuevo} en vez de {el}",
         "pon {nuevo} en lugar de {el}"),
    ),
    "recolour": (
        ("make {the} {word}", "paint {the} {word}", "turn {the} {word}", "change the color of {the} to {word}",
         "colour {the} {word}"),
        ("pinta {el} de {palabra}", "cambia el color de {el} a {palabra}", "colorea {el} de {palabra}",
         "que {el} sea de color {palabra}"),
    ),
    "shirt": (
        ("make the shirt {word}", "change the shirt to {word}", "{new} instead", "put {new} on",
         "paint the shirt {word}"),
        ("que la camiseta sea {palabra}", "pon una camiseta {palabra}", "cámbiale la camiseta por una {palabra}"),
    ),
    "move": (
        ("move {the} to the {word}", "shift {the} to the {word}", "put {the} further {word}",
         "{the} more to the {word}"),
        ("mueve {el} a la {palabra}", "desplaza {el} hacia la {palabra}", "pon {el} más a la {palabra}"),
    ),
}  # fmt: skip
KEEP: Wordings = (
    ("; keep {the}", ", keep {the}", "; keep {the} as it is", ", but keep {the}", ", without touching {the}",
     "; leave {the} as it was", ". Keep {the} in the original image"),
    ("; conserva {el}", ", pero conserva {el}", ", sin tocar {el}", "; mantén {el}", "; deja {el} igual",
     ". Conserva {el} de la imagen original"),
)  # fmt: skip
"""Said after a change of weather that must leave a thing alone."""
KEEP_REST: Wordings = (
    ("; keep everything else", ", keep the rest as it is", "; change nothing else"),
    ("; conserva todo lo demás", ", deja el resto igual", "; no cambies nada más"),
)
"""Said after any other change, now and then."""
PALABRAS: Mapping[str, str] = {
    "red": "rojo", "orange": "naranja", "yellow": "amarillo", "green": "verde", "blue": "azul", "purple": "morado",
    "pink": "rosa", "white": "blanco", "left": "izquierda", "right": "derecha",
}  # fmt: skip
