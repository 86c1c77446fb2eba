"""Does a suspected trigger work on other pictures: plan, comparison with controls, verdict."""
