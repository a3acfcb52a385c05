//! Selectors of devices: what an expression of a ResourceClaim or DeviceClass sees as `device`.
//!
//! A domain that the device has nothing of is there, and empty, as upstream has it: which domains an expression may
//! ask for is read off its texts.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Budget, CompileError, Program, RunError, Type, Val, Variables};
use crate::kinds::resource::{Device, DeviceAttribute};
use crate::quantity::Quantity;

/// What one selector may cost for one device (upstream's `CELSelectorExpressionMaxCost`).
const COST: u64 = 1_000_000;

/// The type of `device`.
pub(super) const KIND: &str = "kubernetes.DRADevice";

/// The type of a field of a device.
pub(super) fn field<'s>(name: &str) -> Option<Type<'s>> {
    let by_domain = |value| Type::map(Type::Text, Type::map(Type::Text, value));
    match name {
        "driver" => Some(Type::Text),
        "allowMultipleAllocations" => Some(Type::Bool),
        "attributes" => Some(by_domain(Type::Dyn)),
        "capacity" => Some(by_domain(Type::Named("kubernetes.Quantity"))),
        _ => None,
    }
}

/// An expression over `device`.
#[derive(Clone, Debug)]
pub struct Selector {
    program: Program,
    domains: Vec<String>,
}

/// Values by domain and name.
type Domains<'a> = BTreeMap<&'a str, Vec<(Val<'a>, Val<'a>)>>;

// === impl Selector ===

impl Selector {
    /// Reads an expression.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        let variables: Variables<'_> = [("device".to_owned(), Type::Named(KIND))].into();
        let compiled = Program::compile(text, &variables);
        let (program, kind) = compiled.map_err(|why| CompileError(vec![format!("compilation failed: {why}")]))?;
        if !kind.fits(&Type::Bool) {
            return Err(CompileError(vec![format!("must evaluate to bool or the unknown type, not {kind}")]));
        }
        let quoted = text.split(['"', '\'']).skip(1).step_by(2).filter(|t| !t.is_empty()).map(str::to_owned);
        Ok(Self { program, domains: quoted.collect() })
    }

    /// Whether a device of a driver is meant.
    pub fn matches(&self, driver: &str, device: &Device) -> Result<bool, RunError> {
        let variables = [("device", self.value(driver, device))];
        match self.program.run(&variables, &mut Budget::new(COST))? {
            Val::Bool(matches) => Ok(matches),
            other => Err(RunError::Other(format!("expression evaluates to {}, not to bool", other.kind()))),
        }
    }

    fn value<'a>(&'a self, driver: &'a str, device: &'a Device) -> Val<'a> {
        let attributes = device.attributes.iter().flatten();
        let attributes = attributes.map(|(name, value)| (name.as_str(), attribute(value)));
        let capacity = device.capacity.iter().flatten();
        let capacity = capacity.map(|(name, capacity)| (name.as_str(), amount(&capacity.value.0)));
        map(vec![
            (text("driver"), text(driver)),
            (text("allowMultipleAllocations"), Val::Bool(device.allow_multiple_allocations == Some(true))),
            (text("attributes"), self.by_domain(driver, attributes)),
            (text("capacity"), self.by_domain(driver, capacity)),
        ])
    }

    /// Names without a domain are in the driver's.
    fn by_domain<'a>(&'a self, driver: &'a str, values: impl Iterator<Item = (&'a str, Val<'a>)>) -> Val<'a> {
        let mut domains: Domains<'a> = self.domains.iter().map(|domain| (domain.as_str(), Vec::new())).collect();
        domains.entry(driver).or_default();
        for (name, value) in values {
            let (domain, id) = name.split_once('/').unwrap_or((driver, name));
            domains.entry(domain).or_default().push((text(id), value));
        }
        map(domains.into_iter().map(|(domain, values)| (text(domain), map(values))).collect())
    }
}

fn attribute(value: &DeviceAttribute) -> Val<'_> {
    let list = |items: Vec<Val<'static>>| Val::list(items);
    match value {
        DeviceAttribute { bool: Some(flag), .. } => Val::Bool(*flag),
        DeviceAttribute { int: Some(number), .. } => Val::Int(*number),
        DeviceAttribute { string: Some(string), .. } => text(string),
        DeviceAttribute { version: Some(version), .. } => semver(version),
        DeviceAttribute { bools: Some(flags), .. } => list(flags.iter().map(|flag| Val::Bool(*flag)).collect()),
        DeviceAttribute { ints: Some(numbers), .. } => list(numbers.iter().map(|number| Val::Int(*number)).collect()),
        DeviceAttribute { strings: Some(strings), .. } => list(strings.iter().cloned().map(Val::made).collect()),
        DeviceAttribute { versions: Some(versions), .. } => list(versions.iter().map(|v| semver(v)).collect()),
        _ => Val::Null,
    }
}

/// The API server has checked that it is one.
fn semver(version: &str) -> Val<'static> {
    let core = version.split_once('+').map_or(version, |(core, _)| core);
    let (numbers, pre) = core.split_once('-').unwrap_or((core, ""));
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    Val::Semver(Rc::new((next(), next(), next(), pre.to_owned())))
}

fn amount(quantity: &str) -> Val<'static> {
    Val::Quantity(Quantity::parse(quantity).unwrap_or(Quantity::ZERO))
}

fn text(value: &str) -> Val<'_> {
    Val::Text(value.into())
}

fn map<'a>(entries: Vec<(Val<'a>, Val<'a>)>) -> Val<'a> {
    Val::Map(Rc::new(entries))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expression_sees_the_driver_attributes_and_capacities() {
        let device = json!({"name": "gpu-0", "attributes": {"model": {"string": "A100"}, "index": {"int": 3},
            "fw.example.com/version": {"version": "1.10.2-rc.1"}}, "capacity": {"memory": {"value": "40Gi"}}});
        let device: Device = serde_json::from_value(device).expect("a device");
        for (expression, wanted) in [
            ("device.driver == 'gpu.example.com'", true),
            ("device.attributes['gpu.example.com'].model == 'A100'", true),
            ("device.attributes['gpu.example.com'].index > 3", false),
            ("device.capacity['gpu.example.com'].memory.compareTo(quantity('20Gi')) >= 0", true),
            ("device.attributes['fw.example.com'].version.isGreaterThan(semver('1.9.0'))", true),
            ("'model' in device.attributes['unknown.example.com']", false),
            ("cel.bind(a, device.attributes['gpu.example.com'], a.model == 'A100' && a.index == 3)", true),
            ("device.allowMultipleAllocations", false),
        ] {
            let selector = Selector::compile(expression).expect(expression);
            assert_eq!(selector.matches("gpu.example.com", &device), Ok(wanted), "{expression}");
        }
        let missing = Selector::compile("device.attributes['gpu.example.com'].color == 'red'").expect("compiles");
        assert_eq!(missing.matches("gpu.example.com", &device), Err(RunError::Key("color".into())));
        assert!(Selector::compile("device.driver +").is_err() && Selector::compile("1 + 1").is_err());
    }
}
