"""Where the sheet lies on a page and how its writing runs: the page is rectified and turned level."""
