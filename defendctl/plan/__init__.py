"""Pure: from what is declared, bound and live to what apply would do."""
