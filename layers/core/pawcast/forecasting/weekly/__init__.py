"""One week's run, from Tuesday's data to every store's plan: what happens in which order, and what is written down.

    week        which days a run is about, and until when people must have acted
    run         the record of a run: its states and moves, approval, edits, receipts
    opening     who may run a week; freshness; splitting stores into shards
    shards      forecast and plan of one shard, with bad stores set apart
    reporting   evaluation of the newest known week, report, gate
    approving   asking planners, their decision, the end of a run
    distributing   a plan to every store, once
    planner_api    what the approval page asks for

No pandas in `week`, `run`, `approving`, `distributing` and `planner_api`: their functions start without it.
"""
