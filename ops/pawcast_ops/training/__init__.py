"""Making the screening models: graph surgery, fitting the classifier's head, judging it.

`graph`       CenterFace's ONNX file -> our detector, feature and classifier graphs
`labels`      the CSV of labelled photos, every bad row named
`features`    photos -> features, by running the feature graph (so training and serving can't differ)
`head`        the fitted head: what is committed, and how it is fitted
`evaluation`  out-of-fold scores -> the figures that a card and a benchmark show
"""
