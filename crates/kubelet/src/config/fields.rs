//! Which fields mean which flags.

use std::path::Path;

use serde_json::Value;

use super::ConfigError;

/// What a configuration comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Flags with their values.
    pub flags: Vec<(&'static str, String)>,
    /// Fields that change nothing here.
    pub ineffective: Vec<String>,
}

/// How a value is written as a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text or a number.
    Plain,
    /// A path, which may be relative to the file.
    Path,
    /// A list, with commas.
    List,
    /// A map: `key`, this, `value`, with commas.
    Pairs(char),
    /// `unix://PATH`.
    Socket,
}

const FLAGS: [(&str, &str, Form); 17] = [
    ("staticPodPath", "pod-manifest-path", Form::Path),
    ("port", "port", Form::Plain),
    ("tlsCertFile", "tls-cert-file", Form::Path),
    ("tlsPrivateKeyFile", "tls-private-key-file", Form::Path),
    ("authentication.x509.clientCAFile", "client-ca-file", Form::Path),
    ("clusterDomain", "cluster-domain", Form::Plain),
    ("clusterDNS", "cluster-dns", Form::List),
    ("cgroupDriver", "cgroup-driver", Form::Plain),
    ("cgroupRoot", "cgroup-root", Form::Plain),
    ("resolvConf", "resolv-conf", Form::Path),
    ("maxPods", "max-pods", Form::Plain),
    ("evictionHard", "eviction-hard", Form::Pairs('<')),
    ("evictionSoft", "eviction-soft", Form::Pairs('<')),
    ("evictionSoftGracePeriod", "eviction-soft-grace-period", Form::Pairs('=')),
    ("evictionMaxPodGracePeriod", "eviction-max-pod-grace-period", Form::Plain),
    ("evictionPressureTransitionPeriod", "eviction-pressure-transition-period", Form::Plain),
    ("containerRuntimeEndpoint", "container-runtime-endpoint", Form::Socket),
];

/// What nobody may ask for, and what is there in its place.
const SHUT: [(&str, &str, &str); 6] = [
    ("authentication.anonymous.enabled", "false", "nobody is served without a name"),
    ("authentication.webhook.enabled", "true", "tokens are reviewed by the API server"),
    ("authorization.mode", "Webhook", "the API server says who may do what"),
    ("readOnlyPort", "0", "there is no port without authentication"),
    ("enableServer", "true", "the API server reaches pods through it"),
    ("registerNode", "true", "pods come from the API server"),
];

/// All fields of upstream's v1.37.
pub const KNOWN: &[&str] = &[
    "address",
    "allowedUnsafeSysctls",
    "authentication",
    "authorization",
    "cgroupDriver",
    "cgroupRoot",
    "cgroupsPerQOS",
    "clusterDNS",
    "clusterDomain",
    "configMapAndSecretChangeDetectionStrategy",
    "containerLogMaxFiles",
    "containerLogMaxSize",
    "containerLogMaxWorkers",
    "containerLogMonitorInterval",
    "containerRuntimeEndpoint",
    "contentType",
    "cpuCFSQuota",
    "cpuCFSQuotaPeriod",
    "cpuManagerPolicy",
    "cpuManagerPolicyOptions",
    "cpuManagerReconcilePeriod",
    "crashLoopBackOff",
    "enableContentionProfiling",
    "enableControllerAttachDetach",
    "enableDebugFlagsHandler",
    "enableDebuggingHandlers",
    "enableProfilingHandler",
    "enableServer",
    "enableSystemLogHandler",
    "enableSystemLogQuery",
    "enforceNodeAllocatable",
    "eventBurst",
    "eventRecordQPS",
    "evictionHard",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionPressureTransitionPeriod",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "failCgroupV1",
    "failSwapOn",
    "featureGates",
    "fileCheckFrequency",
    "hairpinMode",
    "healthzBindAddress",
    "healthzPort",
    "httpCheckFrequency",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMaximumGCAge",
    "imageMinimumGCAge",
    "imagePullCredentialsVerificationPolicy",
    "imageServiceEndpoint",
    "iptablesDropBit",
    "iptablesMasqueradeBit",
    "kernelMemcgNotification",
    "kubeAPIBurst",
    "kubeAPIQPS",
    "kubeReserved",
    "kubeReservedCgroup",
    "kubeletCgroups",
    "localStorageCapacityIsolation",
    "logging",
    "makeIPTablesUtilChains",
    "maxOpenFiles",
    "maxParallelImagePulls",
    "maxPods",
    "memoryManagerPolicy",
    "memoryReservationPolicy",
    "memorySwap",
    "memoryThrottlingFactor",
    "mergeDefaultEvictionSettings",
    "nodeLeaseDurationSeconds",
    "nodeStatusMaxImages",
    "nodeStatusReportFrequency",
    "nodeStatusUpdateFrequency",
    "oomScoreAdj",
    "podCIDR",
    "podLogsDir",
    "podPidsLimit",
    "podsPerCore",
    "port",
    "preloadedImagesVerificationAllowlist",
    "protectKernelDefaults",
    "providerID",
    "qosReserved",
    "readOnlyPort",
    "registerNode",
    "registerWithTaints",
    "registryBurst",
    "registryPullQPS",
    "reservedMemory",
    "reservedSystemCPUs",
    "resolvConf",
    "rotateCertificates",
    "runOnce",
    "runtimeRequestTimeout",
    "seccompDefault",
    "serializeImagePulls",
    "serverTLSBootstrap",
    "showHiddenMetricsForVersion",
    "shutdownGracePeriod",
    "shutdownGracePeriodByPodPriority",
    "shutdownGracePeriodCriticalPods",
    "singleProcessOOMKill",
    "staticPodPath",
    "staticPodURL",
    "staticPodURLHeader",
    "streamingConnectionIdleTimeout",
    "syncFrequency",
    "systemCgroups",
    "systemReserved",
    "systemReservedCgroup",
    "tlsCertFile",
    "tlsCipherSuites",
    "tlsCurvePreferences",
    "tlsMinVersion",
    "tlsPrivateKeyFile",
    "topologyManagerPolicy",
    "topologyManagerPolicyOptions",
    "topologyManagerScope",
    "tracing",
    "userNamespaces",
    "volumePluginDir",
    "volumeStatsAggPeriod",
];

/// The flags of a configuration.
pub fn flags(config: &Value) -> Result<Read, ConfigError> {
    for (field, wanted, why) in SHUT {
        if let Some(value) = at(config, field).filter(|value| plain(value).as_deref() != Some(wanted)) {
            return Err(ConfigError::Refused { field, value: value.clone(), why });
        }
    }
    let mut read = Read::default();
    for (field, flag, form) in FLAGS {
        let Some(value) = at(config, field) else { continue };
        let text = written(value, form).ok_or_else(|| ConfigError::Value { field, value: value.clone() })?;
        if form == Form::Socket {
            read.flags.push(("container-runtime", "remote".into()));
        }
        read.flags.push((flag, text));
    }
    let named = |field: &str| {
        let is = |path: &str| path.split('.').next() == Some(field);
        FLAGS.iter().any(|(path, ..)| is(path)) || SHUT.iter().any(|(path, ..)| is(path))
    };
    let fields = config.as_object().into_iter().flatten().map(|(field, _)| field);
    read.ineffective = fields.filter(|field| !named(field)).cloned().collect();
    Ok(read)
}

/// Makes relative paths those of a folder.
pub fn resolve(config: &mut Value, folder: &Path) {
    for (field, _, _) in FLAGS.iter().filter(|(_, _, form)| *form == Form::Path) {
        let pointer = format!("/{}", field.replace('.', "/"));
        if let Some(Value::String(path)) = config.pointer_mut(&pointer).filter(|value| **value != "") {
            *path = folder.join(&*path).display().to_string();
        }
    }
}

/// A field that says something.
fn at<'a>(config: &'a Value, field: &str) -> Option<&'a Value> {
    let found = field.split('.').try_fold(config, |value, name| value.get(name));
    found.filter(|value| !value.is_null() && **value != "")
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn written(value: &Value, form: Form) -> Option<String> {
    match form {
        Form::Plain | Form::Path => plain(value),
        Form::Socket => Some(plain(value)?.strip_prefix("unix://")?.to_owned()),
        Form::List => Some(value.as_array()?.iter().map(plain).collect::<Option<Vec<_>>>()?.join(",")),
        Form::Pairs(sign) => {
            let pair = |(key, value): (&String, &Value)| Some(format!("{key}{sign}{}", plain(value)?));
            Some(value.as_object()?.iter().map(pair).collect::<Option<Vec<_>>>()?.join(","))
        }
    }
}
