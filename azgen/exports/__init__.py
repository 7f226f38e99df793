"""The generator's third target: programs as source that a person reads and that needs nothing of azgen.

The way of a program: `flow` turns registers into values, `roles` finds what they are for, `names` names what
lasts, `expressions` and `statements` write Python, and the templates in templates/export/ put an estimator, a
small command line and the program's origin around them (`module`).
"""
