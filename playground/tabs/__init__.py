"""One module a tab: its words and its layout."""
