"""From prepared pages to detections and the probabilities of their crops: the one place that joins vision and networks.

`pages` runs many pages at once, `passes` decides what the detector processes of one page, `batching` fills batches.
"""

from batchocr.pipeline.pages import Read, Seconds, read_pages
from batchocr.pipeline.passes import PipelineParameters

__all__ = ["PipelineParameters", "Read", "Seconds", "read_pages"]
