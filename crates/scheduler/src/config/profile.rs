//! From a profile of the file to a [`Framework`]: which plugins act at which point, with which weight and arguments.
//!
//! Points are merged as upstream does it: `multiPoint` changes the list of all plugins; a point of its own puts
//! plugins in front of those, or takes them out there alone.

use nakhoda_api::field::{Errors, Path};

use super::file::{self, Enabled, PluginSet, Plugins};
use crate::framework::{Framework, Plugin, Score};
use crate::plugin;

const ALL: &str = "*";

/// A point: its field, what the file says of it, whether a plugin extends it, and how a plugin loses it.
struct Point<'a> {
    name: &'static str,
    set: &'a PluginSet,
    extended_by: fn(&Plugin) -> bool,
    drop_from: fn(&mut Plugin),
}

/// Makes the framework of a profile.
pub(super) fn framework(profile: &file::Profile, share: Option<usize>, path: &Path, errors: &mut Errors) -> Framework {
    let at = path.child("plugins");
    let on = multi_point(&profile.plugins.multi_point, &at.child("multiPoint"), errors);
    let mut plugins = configured(profile, path, errors);
    let mut filters = Vec::new();
    let mut scores = Vec::new();
    for point in points(&profile.plugins) {
        let active = active(&point, &on, &plugins, &at, errors);
        for plugin in &mut plugins {
            if !active.iter().any(|(name, _)| name == plugin.name) {
                (point.drop_from)(plugin);
            }
        }
        match point.name {
            "filter" => filters = active,
            "score" => scores = active,
            "bind" if active.is_empty() => {
                errors.required(&at.child("bind"), "at least one bind plugin is needed");
            }
            "queueSort" if active.len() != 1 => {
                let why = "only one queue sort plugin can be enabled";
                errors.invalid(&at.child("queueSort").child("enabled"), active.len(), why);
            }
            _ => {}
        }
    }
    let filters: Vec<&str> = filters.iter().map(|(name, _)| name.as_str()).collect();
    let scores: Vec<(&str, i64)> = scores.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
    Framework::arranged(plugins, &filters, &scores, share)
}

/// All plugins with their arguments.
fn configured(profile: &file::Profile, path: &Path, errors: &mut Errors) -> Vec<Plugin> {
    let mut plugins = plugin::all();
    for (i, config) in profile.plugin_config.iter().enumerate() {
        let at = path.child("pluginConfig").index(i);
        if profile.plugin_config[..i].iter().any(|other| other.name == config.name) {
            errors.duplicate(&at, config.name.as_str());
        }
        let Some(plugin) = plugins.iter_mut().find(|plugin| plugin.name == config.name) else {
            errors.not_found(&at.child("name"), config.name.as_str());
            continue;
        };
        let kind = format!("{}Args", config.name);
        let given = config.args.get("kind").and_then(|kind| kind.as_str());
        match plugin.configure {
            None => errors.invalid(&at.child("args"), config.name.as_str(), "takes no arguments"),
            Some(_) if given.is_some_and(|given| given != kind) => {
                errors.invalid(&at.child("args").child("kind"), given.unwrap_or_default(), "has to match plugin args");
            }
            Some(configure) => *plugin = configure(&config.args, &at.child("args"), errors),
        }
    }
    plugins
}

/// The plugins that are on at all points they extend, with the weights that were said.
fn multi_point(set: &PluginSet, path: &Path, errors: &mut Errors) -> Vec<Enabled> {
    check_names(set, path, errors);
    let off = |name: &str| set.disabled.iter().any(|one| one.name == ALL || one.name == name);
    let replaced = |name: &str| set.enabled.iter().find(|one| one.name == name);
    let mut on: Vec<Enabled> = Vec::new();
    for plugin in plugin::all() {
        if !off(plugin.name) {
            let weight = plugin.score.as_ref().map_or(0, |score| Score::weight(&**score));
            let own = Enabled { name: plugin.name.into(), weight };
            on.push(replaced(plugin.name).cloned().unwrap_or(own));
        }
    }
    let more = set.enabled.iter().filter(|one| on.iter().all(|known| known.name != one.name)).cloned();
    let more: Vec<Enabled> = more.collect();
    on.extend(more);
    on
}

/// Who acts at a point, in order, and with which weight.
fn active(
    point: &Point<'_>,
    on: &[Enabled],
    plugins: &[Plugin],
    path: &Path,
    errors: &mut Errors,
) -> Vec<(String, i64)> {
    let at = path.child(point.name);
    check_names(point.set, &at, errors);
    let extends = |name: &str| plugins.iter().any(|plugin| plugin.name == name && (point.extended_by)(plugin));
    for (i, one) in point.set.enabled.iter().enumerate() {
        if plugin_is_known(&one.name) && !extends(&one.name) {
            let why = format!("plugin does not extend {}", point.name);
            errors.invalid(&at.child("enabled").index(i), one.name.as_str(), why);
        }
    }
    let off = |name: &str| point.set.disabled.iter().any(|one| one.name == ALL || one.name == name);
    let own = |name: &str| point.set.enabled.iter().any(|one| one.name == name);
    let is_on = |name: &str| on.iter().any(|one| one.name == name);
    // in front: what multiPoint has, too; behind: what only this point has
    let (front, behind): (Vec<&Enabled>, Vec<&Enabled>) = point.set.enabled.iter().partition(|one| is_on(&one.name));
    let rest = on.iter().filter(|one| !off(&one.name) && !own(&one.name) && extends(&one.name));
    let all = front.into_iter().chain(rest).chain(behind);
    all.map(|one| (one.name.clone(), if one.weight == 0 { 1 } else { one.weight })).collect()
}

fn check_names(set: &PluginSet, path: &Path, errors: &mut Errors) {
    let at = path.child("enabled");
    for (i, one) in set.enabled.iter().enumerate() {
        if !plugin_is_known(&one.name) {
            errors.invalid(&at.index(i), one.name.as_str(), "plugin does not exist");
        }
        if set.enabled[..i].iter().any(|other| other.name == one.name) {
            errors.duplicate(&at.index(i), one.name.as_str());
        }
        if one.weight < 0 {
            errors.invalid(&at.index(i).child("weight"), one.weight, "must not be negative");
        }
    }
    let at = path.child("disabled");
    for (i, one) in set.disabled.iter().enumerate().filter(|(_, one)| one.name != ALL && !plugin_is_known(&one.name)) {
        errors.invalid(&at.index(i), one.name.as_str(), "plugin does not exist");
    }
}

fn plugin_is_known(name: &str) -> bool {
    plugin::all().iter().any(|plugin| plugin.name == name)
}

/// What a plugin works out before filters and scores goes with these; what is reserved is what is done before binding.
fn points(plugins: &Plugins) -> [Point<'_>; 12] {
    let point = |name, set, extended_by, drop_from| Point { name, set, extended_by, drop_from };
    let reserves: fn(&Plugin) -> bool = |plugin| plugin.reserve.is_some();
    let filters: fn(&Plugin) -> bool = |plugin| plugin.filter.is_some();
    [
        point("preEnqueue", &plugins.pre_enqueue, |p| p.gate.is_some(), |p| p.gate = None),
        point("queueSort", &plugins.queue_sort, |p| p.sort.is_some(), |p| p.sort = None),
        point("preFilter", &plugins.pre_filter, filters, |p| p.filter = None),
        point("filter", &plugins.filter, filters, |p| p.filter = None),
        point("postFilter", &plugins.post_filter, |p| p.preemption.is_some(), |p| p.preemption = None),
        point("preScore", &plugins.pre_score, |p| p.score.is_some(), |_| {}),
        point("score", &plugins.score, |p| p.score.is_some(), |p| p.score = None),
        point("reserve", &plugins.reserve, reserves, |p| p.reserve = None),
        point("permit", &plugins.permit, |_| false, |_| {}),
        point("preBind", &plugins.pre_bind, reserves, |p| p.reserve = None),
        point("bind", &plugins.bind, |p| p.binds, |p| p.binds = false),
        point("postBind", &plugins.post_bind, |_| false, |_| {}),
    ]
}
