"""Teaching: lessons about planted cases, predictions, scores, worksheets, walk-throughs."""
