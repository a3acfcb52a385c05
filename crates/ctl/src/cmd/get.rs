//! `get`: objects as rows, or in full.

mod watch;

use std::process::ExitCode;

use nakhoda_client::{Client, Selection};
use nakhoda_client::transport::Call;
use nakhoda_rpc::v1;
use serde_json::{Value, json};

use crate::mapping::{Mapping, Resource};
use crate::output::order::Order;
use crate::output::{Format, out};
use crate::output::table::{Rows, Shown};
use crate::{Context, Error};

/// The media type of rows.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Display one or many resources
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TYPE[,TYPE…] [NAME…], or TYPE/NAME…
    #[arg(required = true, value_name = "TYPE | TYPE/NAME")]
    what: Vec<String>,
    /// Output format: wide, yaml, json, name, jsonpath=…, custom-columns=…
    #[arg(long, short)]
    output: Option<String>,
    /// All namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Label selector
    #[arg(long, short = 'l', default_value = "")]
    selector: String,
    /// Field selector
    #[arg(long, default_value = "")]
    field_selector: String,
    /// After listing, watch for changes
    #[arg(long, short)]
    watch: bool,
    /// No head line
    #[arg(long)]
    no_headers: bool,
    /// Show labels as the last column
    #[arg(long)]
    show_labels: bool,
    /// Succeed if there is no such object
    #[arg(long)]
    ignore_not_found: bool,
    /// Sort by the value at this path, for example .metadata.creationTimestamp
    #[arg(long, value_name = "JSONPATH")]
    sort_by: Option<String>,
    /// Show these labels as columns (repeat, or separate by commas)
    #[arg(long, short = 'L', value_delimiter = ',')]
    label_columns: Vec<String>,
}

/// Objects that are asked for: of one resource, all or some by name.
struct Asked<'a> {
    resource: &'a Resource,
    names: Vec<String>,
}

struct Get<'a> {
    args: &'a Args,
    format: Format,
    sort: Option<Order>,
    client: Client,
    namespace: String,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let format = Format::parse(args.output.as_deref())?;
    let sort = args.sort_by.as_deref().map(Order::parse).transpose()?;
    let client = context.client()?;
    let mapping = Mapping::load(&client).await?;
    let asked = asked(&args.what, &mapping)?;
    let namespace = if args.all_namespaces { String::new() } else { context.namespace()? };
    let get = Get { args: &args, format, sort, client, namespace };
    if args.watch {
        let [one] = asked.as_slice() else { return Err(Error::Usage("--watch takes one resource type".into())) };
        get.watch(one).await?;
    } else if get.format.is_table() {
        get.tables(&asked).await?;
    } else {
        get.objects(&asked).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn asked<'a>(words: &[String], mapping: &'a Mapping) -> Result<Vec<Asked<'a>>, Error> {
    if words[0].contains('/') {
        let pairs = words.iter().map(|word| {
            let (kind, name) = word.split_once('/').ok_or_else(|| Error::Usage(format!("{word:?} is not TYPE/NAME")))?;
            Ok(Asked { resource: mapping.find(kind)?, names: vec![name.into()] })
        });
        return pairs.collect();
    }
    let resources = mapping.find_all(&words[0])?;
    Ok(resources.into_iter().map(|resource| Asked { resource, names: words[1..].to_vec() }).collect())
}

// === impl Get ===

impl Get<'_> {
    async fn tables(&self, asked: &[Asked<'_>]) -> Result<(), Error> {
        let mut printed = 0;
        for (index, one) in asked.iter().enumerate() {
            let prefix = if asked.len() > 1 { format!("{}/", one.resource.printed()) } else { String::new() };
            let rows = self.rows(one, &prefix).await?;
            if rows.rows.is_empty() {
                continue;
            }
            if printed > 0 && index > 0 {
                out::text("\n");
            }
            out::text(&rows.painted(self.args.no_headers));
            printed += rows.rows.len();
        }
        if printed == 0 && !self.args.ignore_not_found {
            let place = if self.namespace.is_empty() { String::new() } else { format!(" in {} namespace", self.namespace) };
            eprintln!("No resources found{place}{}", if place.is_empty() { "" } else { "." });
        }
        Ok(())
    }

    async fn rows(&self, one: &Asked<'_>, prefix: &str) -> Result<Rows, Error> {
        let mut all = Rows::default();
        for mut table in self.answers(one, TABLE).await? {
            if let Some(order) = &self.sort {
                let objects: Vec<Value> = self.answers(one, "").await?.iter().flat_map(items).collect();
                order.sort_table(&mut table, objects);
            }
            let mut rows = Rows::of(&table, self.shown(one.resource), prefix);
            rows.add_labels(&table, &self.args.label_columns);
            all.heads = rows.heads;
            all.rows.extend(rows.rows);
        }
        Ok(all)
    }

    fn shown(&self, resource: &Resource) -> Shown {
        Shown {
            wide: self.format == Format::Table { wide: true },
            namespace: self.namespace.is_empty() && resource.namespaced,
            labels: self.args.show_labels,
            headless: self.args.no_headers,
        }
    }

    async fn objects(&self, asked: &[Asked<'_>]) -> Result<(), Error> {
        let mut items = Vec::new();
        for one in asked {
            for answer in self.answers(one, "").await? {
                let named = |item: &Value| json!({"printed": one.resource.printed(), "item": item});
                match answer.get("items").and_then(Value::as_array) {
                    Some(list) => items.extend(list.iter().map(named)),
                    None => items.push(named(&answer)),
                }
            }
        }
        if let Some(order) = &self.sort {
            items.sort_by(|a, b| order.compare(&a["item"], &b["item"]));
        }
        let single = items.len() == 1 && asked.len() == 1 && asked[0].names.len() == 1;
        let names: Vec<String> = items
            .iter()
            .map(|i| format!("{}/{}", i["printed"].as_str().unwrap_or_default(), i["item"]["metadata"]["name"].as_str().unwrap_or_default()))
            .collect();
        if self.format == Format::Name {
            names.iter().for_each(|name| crate::say!("{name}"));
            return Ok(());
        }
        let mut values: Vec<Value> = items.into_iter().map(|mut i| i["item"].take()).collect();
        let value = if single {
            values.remove(0)
        } else {
            json!({"apiVersion": "v1", "items": values, "kind": "List", "metadata": {"resourceVersion": ""}})
        };
        out::text(&self.format.text(&value, &|_| String::new())?);
        Ok(())
    }

    /// The server's answers: one for each name, or one for all.
    async fn answers(&self, one: &Asked<'_>, accept: &str) -> Result<Vec<Value>, Error> {
        if one.names.is_empty() {
            return self.list(one.resource, accept).await;
        }
        let mut answers = Vec::new();
        for name in &one.names {
            let request = v1::GetRequest { target: Some(self.target(one.resource, name)), accept: accept.into(), ..v1::GetRequest::default() };
            match self.client.call(Call::Get(request)).await {
                Ok(object) => answers.push(parse(&object.body)?),
                Err(error) if error.is_not_found() && self.args.ignore_not_found => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(answers)
    }

    async fn list(&self, resource: &Resource, accept: &str) -> Result<Vec<Value>, Error> {
        let request = v1::ListRequest {
            target: Some(self.target(resource, "")),
            selection: Some(self.selection()),
            accept: accept.into(),
            ..v1::ListRequest::default()
        };
        let chunks = self.client.list_chunks(request).await?;
        let items = chunks.iter().flat_map(|c| &c.items).map(|bytes| parse(bytes)).collect::<Result<Vec<_>, _>>()?;
        Ok(if accept.is_empty() { vec![json!({"items": items})] } else { items })
    }

    fn selection(&self) -> v1::Selection {
        let Selection { labels, fields } =
            Selection { labels: self.args.selector.clone(), fields: self.args.field_selector.clone() };
        v1::Selection { labels, fields }
    }

    fn target(&self, resource: &Resource, name: &str) -> v1::Target {
        v1::Target {
            group: resource.gvr.group.clone(),
            version: resource.gvr.version.clone(),
            resource: resource.gvr.resource.clone(),
            namespace: if resource.namespaced { self.namespace.clone() } else { String::new() },
            name: name.into(),
            subresource: String::new(),
        }
    }
}

/// The items of a list, or the object itself.
fn items(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().cloned().unwrap_or_else(|| vec![answer.clone()])
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(Error::Answer)
}
