# The tasks of this project.
.PHONY: dev sample test check format clippy queries dependencies document workflows prepare schema bench bench-quick soak contents layout validate cross build deploy

# Servers that it starts end with the shell of the command, after Ctrl-C too.
services = trap 'exit 130' INT TERM; eval "$$(python3 local/services.py $(1) || echo exit 1)"
tools = bin="$$(python3 local/tools.py $(1))" && export PATH="$$bin:$$PATH" SAM_CLI_TELEMETRY=0
# The metadata of queries is taken from a database with the migrations and nothing else.
described = $(call tools,check) && $(call services,repairmybike_prepare) && cargo sqlx database reset -y

# Serves everything on http://localhost:8000.
dev:
	@python3 local/dev.py

# Fills the shop that `make dev` serves with two weeks of bookings, payments and refunds.
sample:
	@python3 local/sample.py

test:
	@$(call tools,test) && $(call services) && cargo test --all-features && python3 local/end_to_end.py

check: format clippy queries dependencies document workflows

format:
	cargo fmt --check

clippy:
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo clippy --workspace --exclude api --bins -- -D warnings

queries:
	@$(described) && cargo sqlx prepare --check --workspace -- --all-targets --all-features

# DEPENDENCIES="bans licenses sources" leaves out the advisories, whose list changes without a commit.
dependencies:
	@$(call tools,check) && cargo deny check $(DEPENDENCIES)

# Lints the API document, and compares the collection of requests with it.
document:
	@$(call tools,check) && cd target/tools/api-client && node_modules/.bin/redocly lint --config redocly.yaml \
		$(CURDIR)/functions/status/openapi.json
	@python3 local/bruno.py --check

# Lints the workflows of GitHub Actions, and the shell in them.
workflows:
	@$(call tools,check) && jactionlint --strict-exit .github/workflows/*.yml

# Writes .sqlx, after a change of a query or of the schema.
prepare:
	@$(described) && cargo sqlx prepare --workspace -- --all-targets --all-features

# Writes functions/status/openapi.json and clients/bruno/, after a change of the interface.
schema:
	cargo run --package api --bin openapi
	@python3 local/bruno.py

# Measures the release build as Lambda runs it; docs/speed.md explains the output. AGAINST=target/bench/….json compares
# with an older run, BESIDE=… measures the binaries of another directory in turns with these, READS="… …" only the cached
# read of the builds in these directories, MEMORY="… …" only their memory.
bench:
	cargo build --release $(addprefix --package ,$(notdir $(wildcard functions/*)))
	cargo build --release --package bench
	@$(call tools,bench) && $(call services) \
		&& target/release/bench $(if $(AGAINST),--against $(AGAINST)) $(if $(BESIDE),--beside $(BESIDE)) \
		$(if $(READS),reads $(READS)) $(if $(MEMORY),memory $(MEMORY))

# A short run on debug binaries: it shows that the bench works, and nothing about speed.
bench-quick:
	cargo build --bins --package bench $(addprefix --package ,$(notdir $(wildcard functions/*)))
	@$(call tools,bench) && $(call services) && target/debug/bench --quick \
		&& target/debug/bench --quick reads target/debug target/debug && target/debug/bench --quick memory target/debug

# Runs customers, staff and a bot against the whole system for ten minutes while Postgres and Redis, both the soak's own, are
# restarted; then money, slots, timelines and stand-ins must agree: make soak MINUTES=2
soak:
	@MINUTES=$(MINUTES) python3 local/soak.py

# Writes layout/called.ld, which names the functions that requests call. Takes Valgrind. Due when the compiler, much of the code
# or of its dependencies has changed: what the file does not name stands where the compiler put it, and works as well.
layout:
	cargo build --release --package bench
	LAYOUT=none cargo build --release --config profile.release.strip=false \
		--config profile.release.package.admin.strip=false --target-dir target/layout \
		$(addprefix --package ,$(notdir $(wildcard functions/*)))
	@$(call services) && target/release/bench --quick --binaries target/layout/release calls > target/layout/called.ld \
		&& cp target/layout/called.ld layout/

# Shows the sizes of the crates in a function's binary: make contents FUNCTION=bookings
contents:
	cargo build --release --package bench
	cargo rustc --release --package $(FUNCTION) --bin $(FUNCTION) -- -C strip=none
	@target/release/bench contents target/release/$(FUNCTION)

# Checks the templates: with SAM, against the resources of each kind of region, for unsafe settings, and what it costs.
validate:
	@$(call tools,template) && sam validate --lint \
		&& cfn-lint --regions ap-south-1 us-east-1 eu-central-1 -- template.yaml .github/deploy-role.yaml \
		&& checkov --file template.yaml .github/deploy-role.yaml --framework cloudformation --compact --quiet --skip-download \
		&& python local/cost.py --check

# Cross-compiles every function for the other processor, without optimising: checks code, C and linker, and that the linker
# did what layout/ asks of it: an ELF type of 2 is a fixed address. It does not check the output of `make build`. `make test`
# does the same for this machine's processor.
cross:
	@$(call tools,deploy) && cargo lambda build $(if $(filter x86_64,$(shell uname -m)),--arm64,--x86-64) \
		$(addprefix --package ,$(notdir $(wildcard functions/*)))
	@for binary in target/lambda/*/bootstrap; do \
		[ $$(od -An -tu2 -j16 -N2 $$binary) = 2 ] && grep -qa '\.text\.called' $$binary \
			|| { echo "$$binary is not laid out by layout/"; exit 1; }; done

build:
	@$(call tools,deploy) && sam build

# OPTIONS=--guided asks for the template's parameters.
deploy: build
	@$(call tools,deploy) && sam deploy $(OPTIONS)
