"""What a second chapter could use and what knows no model: numbers with their intervals, pieces that fit in memory."""
