"""Staffing: visitors in quantiles become people, by day or by shifts. Frames in, frames out.

`rules` what a store allows, `needs` people needed, `risk` of too few, `cover` and `limits` the cheapest shifts,
`relaxation` what to change where none will do, `plan` the week, `edits` of people, `compare` with what came.
"""
