# The recipes that developers and CI run. `just` without a name lists them.

default:
    @just --list

# Build and start the server with demo data.
demo:
    cargo run --profile quick -- serve --demo

# Everything that must pass before a change lands.
test:
    ./test.sh

# The Rust tests alone; arguments go to cargo, for example `just unit --test contract`.
unit *arguments:
    scripts/s3-server.sh
    cargo test --workspace --locked {{arguments}}

# Requests generated from the contract's description against a running server.
conformance:
    tests/conformance/run.sh

# Notifications checked with a public verifier of their signatures.
signatures:
    tests/signatures/run.sh

# The examples in docs/ against sandboxes.
languages:
    tests/languages/run.sh

# The pytest plugin and the GitHub action against the binary.
integrations:
    integrations/test.sh

# What is in deploy/, by the tools that it is for.
deploy:
    deploy/test.sh

# The pictures of the pages in docs/screenshots, anew. Needs pngquant, and a font with Chinese characters.
screenshots:
    cargo test --test browser -- --ignored screenshots
    cargo test --test buyer -- --ignored screenshots
    pngquant --force --ext .png --speed 1 docs/screenshots/*.png

# Formatting, lints, licences.
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo deny check licenses bans sources

# Write the OpenAPI documents anew after a change of the contract; the difference is for the review.
openapi:
    cargo run -q -- openapi partner > openapi/partner.json
    cargo run -q -- openapi operator > openapi/operator.json
    cargo run -q -- openapi buyer > openapi/buyer.json
    cargo run -q -- openapi partner --format postman > openapi/partner.postman_collection.json
    cargo run -q -- openapi partner --format http > openapi/partner.http

# The server that is deployed, target/optimized/prilavok: built for what it does when it is called, in three times the time.
release:
    scripts/release/build.sh

# Prilavok beside what this machine can do: an hour of nothing else on two cores. Needs wrk; nginx if it is there.
bench *arguments: release
    cargo build --release --locked --manifest-path bench/Cargo.toml --target-dir target
    cd bench && ../target/release/prilavok-bench {{arguments}}

# What the parts of a call cost by themselves; arguments select, for example `just microbench parsing`.
microbench *arguments:
    cargo bench --manifest-path bench/Cargo.toml --target-dir target -- {{arguments}}

# Fuzz every parser of outside input, each for so many seconds; needs `cargo install cargo-fuzz --locked`.
fuzz seconds="600":
    fuzz/run.sh {{seconds}}
