# Two commands do everything: `cargo run --release -- demo` and `make check`.
.PHONY: check fmt lint test portable demo bench bench-instructions starve validate month real-model example deny fuzz

check: fmt lint test ## all tests: format, lints, unit, fixtures, end to end

fmt:
	cargo fmt --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

test:
	cargo test --locked

portable: ## what systems other than Unix get (reqwest and user-space times), compiled here
	RUSTFLAGS="--cfg photofinish_portable -D warnings" cargo check --locked --target-dir target/portable

demo: ## the main job on simulated providers
	cargo run --locked --release -- demo

bench: ## every goal of docs/accuracy.md beside what this machine gives (about three minutes on an otherwise idle machine, once built), then instruction counts
	cargo bench --locked --bench goals
	@if command -v valgrind >/dev/null; then $(MAKE) bench-instructions; else echo "no instruction counts: valgrind is not here"; fi

bench-instructions: target/tools/bin/gungraun-runner ## instruction counts of the path of an event, held against the committed ones (needs valgrind); RENEW=--renew writes them anew
	PATH="$$PWD/target/tools/bin:$$PATH" cargo bench --locked --bench instructions -- --output-format=json > target/instructions.json
	python3 scripts/instructions.py target/instructions.json benches/instructions.tsv $(RENEW)

target/tools/bin/gungraun-runner:
	cargo install gungraun-runner --locked --version =0.20.0 --root target/tools

starve: ## a client that is stopped, crowded out and given small buffers, over a million events: every claim about a time must hold
	PHOTOFINISH_STARVED_EVENTS=1000000 cargo test --locked --release --test starved -- --nocapture

validate: ## the simulation study: what intervals and words are worth, in the product's own code (about ten minutes)
	cargo bench --locked --bench validate

month: ## a month of hourly rounds (6 GB, deleted again): time, memory, and quantiles held against DuckDB
	bash scripts/month.sh

real-model: ## the short set against a real llama.cpp server (installed from package registries)
	cargo build --locked
	PHOTOFINISH=target/debug/photofinish bash scripts/real-model.sh

example: ## make results/example anew (a simulated run: the README's table and a golden test)
	bash scripts/example.sh

deny: ## licences, bans and sources (needs cargo-deny)
	cargo deny check licenses bans sources

fuzz: ## ten minutes a target (needs a nightly toolchain and cargo-fuzz)
	for target in $$(cargo +nightly fuzz list); do \
		mkdir -p fuzz/corpus/$$target; \
		cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=600 -max_len=65536 || exit 1; \
	done
