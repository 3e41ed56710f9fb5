"""What the shop promises about its prices."""

import unittest

from prices import total


class Prices(unittest.TestCase):
    """Customers can rely on these."""

    def test_one_piece_costs_its_price(self) -> None:
        """One piece, one price."""
        self.assertEqual(total(1, 500), 500)

    def test_nothing_costs_nothing(self) -> None:
        """An empty basket is free."""
        self.assertEqual(total(0, 500), 0)

    def test_three_pieces_cost_a_tenth_less(self) -> None:
        """The discount begins with the third piece."""
        self.assertEqual(total(3, 500), 1350)


if __name__ == "__main__":
    unittest.main()
