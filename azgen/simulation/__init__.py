"""Simulation of faults: real searches on simulated workers, clock and disk, where a seed decides what goes
wrong.

Real are the coordinator, the schedule, the engine of worker processes, messages, checkpoints and the islands'
rounds (each distinct round is carried out once and remembered). Simulated is what they stand on: processes,
time, files.
"""
