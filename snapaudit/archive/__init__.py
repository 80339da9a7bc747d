"""Archive: published reports, a folder a day, with a list of all of them."""
