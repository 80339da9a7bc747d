"""A made-up company through half a year: what its endpoints showed, week by week."""
