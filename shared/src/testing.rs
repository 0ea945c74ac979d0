//! What the functions' tests share: a caller of the whole HTTP stack, the real catalogue, a network that can break.

