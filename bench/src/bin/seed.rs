//! Makes a seeded store: `seed FOLDER large|small`.

use prilavok_bench::seed::{self, Size};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, size] = arguments.as_slice() else {
        anyhow::bail!("usage: seed FOLDER large|small");
    };
    let size = if size == "large" { Size::LARGE } else { Size::SMALL };
    seed::make(folder.as_ref(), size)
}
