"""Teaching a trained model a map or a thing of one's own; a look at what it learnt. `run.adapt` is `lienzo.adapt`."""
