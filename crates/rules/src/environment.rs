//! Environment variables of what runs code, in both formats.
//!
//! Not for judging what they hold. Invariant: a variable whose name is open is left out.

use overgrant_ir::Setting;
use overgrant_value::{Val, json};

/// The variables that a function, task or build gets, from wherever their values come: plain text, a
/// parameter or a secret.
pub(crate) fn all_variables(setting: &Setting) -> Vec<(String, Val)> {
    let attrs = &setting.attrs;
    let sourced = |containers: Option<Val>, list: &str, names: [&str; 2]| {
        containers
            .map(|containers| pairs(&containers, list, names))
            .unwrap_or_default()
    };
    let any = |one: &Val, [name, value]: [&str; 2]| {
        Some((one.get(name)?.as_str()?.to_string(), one.get(value)?))
    };
    match setting.place.kind.as_str() {
        "aws_ssm_parameter" | "AWS::SSM::Parameter" => Vec::new(),
        "aws_ecs_task_definition" => {
            let mut found = variables(setting);
            found.extend(sourced(
                definitions(attrs),
                "secrets",
                ["name", "valueFrom"],
            ));
            found
        }
        "AWS::ECS::TaskDefinition" => {
            let mut found = variables(setting);
            let containers = attrs.get("ContainerDefinitions");
            found.extend(sourced(containers, "Secrets", ["Name", "ValueFrom"]));
            found
        }
        "aws_codebuild_project" => blocks(attrs, "environment")
            .iter()
            .flat_map(|block| blocks(block, "environment_variable"))
            .filter_map(|one| any(&one, ["name", "value"]))
            .collect(),
        "AWS::CodeBuild::Project" => attrs
            .at(&["Environment", "EnvironmentVariables"])
            .map(|list| list.listed())
            .unwrap_or_default()
            .iter()
            .filter_map(|one| any(one, ["Name", "Value"]))
            .collect(),
        _ => variables(setting),
    }
}

/// The variables among the settings of a Beanstalk environment.
fn settings(settings: Vec<Val>, [space, name, value]: [&str; 3]) -> Vec<(String, Val)> {
    const VARIABLES: &str = "aws:elasticbeanstalk:application:environment";
    let of_code = settings.into_iter().filter(|one| {
        let space = one.get(space).and_then(|space| space.as_str());
        space.is_some_and(|space| space == VARIABLES)
    });
    of_code
        .filter_map(|one| Some((one.get(name)?.as_str()?.to_string(), one.get(value)?)))
        .collect()
}

/// The containers of a task definition of Terraform: a JSON text, or a list.
fn definitions(attrs: &Val) -> Option<Val> {
    let val = attrs.get("container_definitions")?;
    match val.to_text() {
        Some(text) => json::parse(&text).ok(),
        None => Some(val),
    }
}

/// The environment variables that are written in plain text: names and values. Parameters that are not
/// encrypted count under the last part of their name.
pub(crate) fn variables(setting: &Setting) -> Vec<(String, Val)> {
    let attrs = &setting.attrs;
    match setting.place.kind.as_str() {
        "aws_lambda_function" => blocks(attrs, "environment")
            .iter()
            .filter_map(|block| block.get("variables"))
            .flat_map(|map| members(&map))
            .collect(),
        "AWS::Lambda::Function" => attrs
            .at(&["Environment", "Variables"])
            .map(|map| members(&map))
            .unwrap_or_default(),
        "aws_ecs_task_definition" => definitions(attrs)
            .map(|list| pairs(&list, "environment", ["name", "value"]))
            .unwrap_or_default(),
        "AWS::ECS::TaskDefinition" => attrs
            .get("ContainerDefinitions")
            .map(|list| pairs(&list, "Environment", ["Name", "Value"]))
            .unwrap_or_default(),
        "aws_codebuild_project" => blocks(attrs, "environment")
            .iter()
            .flat_map(|block| blocks(block, "environment_variable"))
            .filter_map(|variable| plain_variable(&variable, ["name", "value", "type"]))
            .collect(),
        "AWS::CodeBuild::Project" => attrs
            .at(&["Environment", "EnvironmentVariables"])
            .map(|list| {
                list.listed()
                    .iter()
                    .filter_map(|one| plain_variable(one, ["Name", "Value", "Type"]))
                    .collect()
            })
            .unwrap_or_default(),
        "aws_elastic_beanstalk_environment" => {
            settings(blocks(attrs, "setting"), ["namespace", "name", "value"])
        }
        "AWS::ElasticBeanstalk::Environment" => settings(
            blocks(attrs, "OptionSettings"),
            ["Namespace", "OptionName", "Value"],
        ),
        "aws_ssm_parameter" => parameter(attrs, ["name", "value", "type"]),
        "AWS::SSM::Parameter" => parameter(attrs, ["Name", "Value", "Type"]),
        _ => Vec::new(),
    }
}

pub(crate) fn blocks(attrs: &Val, name: &str) -> Vec<Val> {
    attrs
        .get(name)
        .map(|val| val.listed().into_vec())
        .unwrap_or_default()
}

fn members(map: &Val) -> Vec<(String, Val)> {
    map.as_map()
        .map(|map| {
            map.entries
                .iter()
                .filter_map(|entry| Some((entry.key.as_known()?.to_string(), entry.val.clone())))
                .collect()
        })
        .unwrap_or_default()
}

/// Name and value of each member of a list of containers' environments.
fn pairs(containers: &Val, environment: &str, [name, value]: [&str; 2]) -> Vec<(String, Val)> {
    containers
        .listed()
        .iter()
        .filter_map(|container| container.get(environment))
        .flat_map(|list| list.listed())
        .filter_map(|one| Some((one.get(name)?.as_str()?.to_string(), one.get(value)?)))
        .collect()
}

fn plain_variable(one: &Val, [name, value, kind]: [&str; 3]) -> Option<(String, Val)> {
    let plain = one
        .get(kind)
        .filter(|val| !val.is_null())
        .is_none_or(|val| val.as_str().is_some_and(|kind| kind == "PLAINTEXT"));
    plain.then_some(())?;
    Some((one.get(name)?.as_str()?.to_string(), one.get(value)?))
}

/// A parameter that is not encrypted, under the last part of its name.
fn parameter(attrs: &Val, [name, value, kind]: [&str; 3]) -> Vec<(String, Val)> {
    let is_string = attrs
        .get(kind)
        .and_then(|val| val.as_str())
        .is_some_and(|kind| kind == "String");
    let named = attrs.get(name).and_then(|val| val.as_str());
    match (is_string, named, attrs.get(value)) {
        (true, Some(name), Some(val)) => {
            let last = name.rsplit('/').next().unwrap_or_default().to_owned();
            vec![(last, val)]
        }
        _ => Vec::new(),
    }
}
