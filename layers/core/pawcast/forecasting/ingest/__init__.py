"""A drop file in, checked rows and a report for its sender out.

    intake      one drop from S3's notification to the warehouse, report and event
    reading     bytes -> columns of text: what kind of file is this?   (csv_files, parquet_files, columns)
    cells       one text -> one value, or the code of what is wrong with it; pure Python, run per distinct text
    clocks      wall clock and offset -> instant, by the store's time zone: daylight saving
    checks      columns of text -> good rows, rows set aside, problems: visits
    facts       the same for the small tables: stores, calendar, promotions
    checked     which row was set aside, and why
    report      problems, and the bounded list of them; their words are in sentences

Every row of the input is either kept or set aside with its problem. Which row counts when a key was delivered more than
once is `pawcast.forecasting.warehouse`.
"""
