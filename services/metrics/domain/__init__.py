"""What metrics owns: reviews, and the rules and options they are made by. No rebuild ever touches them."""
