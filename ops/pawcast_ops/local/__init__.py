"""Pawcast on one machine: MiniStack, `sam build`, the real `sam deploy`, and what an empty stack needs to work.

emulator   the MiniStack process: start, find again, stop with all its workers
sam        build and deploy of template.yaml
seeds      people, models, first release, verified sender

`pawcast_ops.stack` puts them in order. What the emulator can't do: docs/local-stack.md.
"""
