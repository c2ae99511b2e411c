"""Who meets whom, who shares what, who may be one firm."""
