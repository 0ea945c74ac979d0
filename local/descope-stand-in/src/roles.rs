//! Roles: creating, listing and assigning them.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Result},
    managed,
    request::Request,
    state::State,
};

/// How a call changes the roles of a user.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Set,
    Add,
    Remove,
}

/// `POST /v1/mgmt/user/update/role/{set|add|remove}`.
pub(crate) fn change(state: &mut State, request: &Request, change: Change) -> Result {
    let role_names = request.list(&["roleNames"]).unwrap_or_default();
    managed::change(state, request, |state, user| {
        match change {
            Change::Set => {
                expect_known(state, &role_names)?;
                user.roles.clear();
                user.roles.extend(role_names);
            }
            Change::Add => {
                expect_known(state, &role_names)?;
                for role_name in role_names {
                    if !user.roles.contains(&role_name) {
                        user.roles.push(role_name);
                    }
                }
            }
            Change::Remove => user.roles.retain(|own| !role_names.contains(own)),
        }
        Ok(())
    })
}

/// `POST /v1/mgmt/role/create`.
pub(crate) fn create(state: &mut State, request: &Request) -> Result {
    let name = request.required(&["name"])?;
    if all(state).any(|role| role == name) {
        return Err(Reason::InvalidArgument.because("The role already exists"));
    }
    state.created_roles.push(name.to_owned());
    Ok(json!({"role": shown(name)}))
}

/// `GET /v1/mgmt/role/all`.
pub(crate) fn list(state: &State) -> Value {
    json!({"roles": all(state).map(|name| shown(name)).collect::<Vec<_>>()})
}

/// Refuses roles that do not exist.
pub(crate) fn expect_known(state: &State, role_names: &[String]) -> Result<()> {
    match role_names.iter().find(|role_name| !all(state).any(|role| &role == role_name)) {
        Some(role_name) => Err(Reason::InvalidArgument.because(format!("The role {role_name} does not exist"))),
        None => Ok(()),
    }
}

fn all(state: &State) -> impl Iterator<Item = &String> {
    state.settings.roles.iter().chain(&state.created_roles)
}

fn shown(name: &str) -> Value {
    json!({"name": name, "description": "", "permissionNames": [], "createdTime": 0, "tenantId": "", "default": false})
}
