"""Where the weights that ship with the product come from: drawn scenes with known answers, and a training on them."""
