//! Orders the code of the binary.

fn main() {
    layout::link();
}
