"""Schedules, prediction targets, solvers and guidance: everything between a denoiser and its samples."""

from lienzo.sampling.chunks import in_chunks, joined, rows_of
from lienzo.sampling.guidance import guided, nest
from lienzo.sampling.likelihood import log_prob_ode
from lienzo.sampling.processes import PROCESSES, TIMES, Process, made, named, process_named, weight
from lienzo.sampling.schedule import SPACINGS, Denoiser, Knot, Schedule, retimed
from lienzo.sampling.schedules import EDM, SCHEDULES, Cosine, Linear, VarianceExploding, VariancePreserving
from lienzo.sampling.solvers import SOLVERS, Solver
from lienzo.sampling.targets import TARGETS, Level, Target

__all__ = [
    "EDM", "PROCESSES", "SCHEDULES", "SOLVERS", "SPACINGS", "TARGETS", "TIMES", "Cosine", "Denoiser", "Knot", "Level",
    "Linear", "Process", "Schedule", "Solver", "Target", "VarianceExploding", "VariancePreserving", "guided",
    "in_chunks", "joined", "log_prob_ode", "made", "named", "nest", "process_named", "retimed", "rows_of", "weight",
]  # fmt: skip
