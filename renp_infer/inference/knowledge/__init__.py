"""What other experiments say, and the quantities they measure."""
