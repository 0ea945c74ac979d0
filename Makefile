# What one does with this project, by name.
.PHONY: dev test check format clippy queries dependencies prepare schema validate build deploy

services = eval "$$(python3 local/services.py $(1) || echo exit 1)"
tools = bin="$$(python3 local/tools.py $(1))" && export PATH="$$bin:$$PATH" SAM_CLI_TELEMETRY=0
# Queries are described by a database that holds the migrations and nothing else.
described = $(call tools,check) && $(call services,repairmybike_prepare) && cargo sqlx database reset -y

# Serves everything on http://localhost:8000.
dev:
	@python3 local/dev.py

test:
	@$(call tools,test) && $(call services) && cargo test --workspace --all-features && python3 local/end_to_end.py

check: format clippy queries dependencies

format:
	cargo fmt --check

clippy:
	cargo clippy --workspace --all-targets --all-features -- -D warnings

queries:
	@$(described) && cargo sqlx prepare --check --workspace -- --all-targets --all-features

# DEPENDENCIES="bans licenses sources" leaves out the advisories, whose list changes by itself.
dependencies:
	@$(call tools,check) && cargo deny check $(DEPENDENCIES)

# Writes .sqlx, after a change of a query or of the schema.
prepare:
	@$(described) && cargo sqlx prepare --workspace -- --all-targets --all-features

# Writes functions/status/openapi.json, after a change of the interface.
schema:
	cargo run --package api --bin openapi

validate:
	@$(call tools,deploy) && sam validate --lint

build:
	@$(call tools,deploy) && sam build

deploy: build
	@$(call tools,deploy) && sam deploy
