//! The sources of a PersistentVolume as upstream's internal type has them, for the text about one that was changed.

use crate::rules::diff::Form::{Any, Flag, Number, Pointer, Text};
use crate::rules::diff::{Fields, Form};

const FS: (&str, &str, Form) = ("FSType", "fsType", Text);
const READ_ONLY: (&str, &str, Form) = ("ReadOnly", "readOnly", Flag);
const VOLUME_ID: (&str, &str, Form) = ("VolumeID", "volumeID", Text);
const PARTITION: (&str, &str, Form) = ("Partition", "partition", Number);
const SECRET: (&str, &str, Form) = ("SecretRef", "secretRef", Pointer(SECRET_REFERENCE));
const SECRET_REFERENCE: Fields = &[("Name", "name", Text), ("Namespace", "namespace", Text)];

/// Every source.
pub const SOURCE: Fields = &[
    ("GCEPersistentDisk", "gcePersistentDisk", Pointer(&[("PDName", "pdName", Text), FS, PARTITION, READ_ONLY])),
    ("AWSElasticBlockStore", "awsElasticBlockStore", Pointer(&[VOLUME_ID, FS, PARTITION, READ_ONLY])),
    ("HostPath", "hostPath", Pointer(&[("Path", "path", Text), ("Type", "type", Any)])),
    ("Glusterfs", "glusterfs", Pointer(GLUSTERFS)),
    ("NFS", "nfs", Pointer(&[("Server", "server", Text), ("Path", "path", Text), READ_ONLY])),
    ("RBD", "rbd", Pointer(RBD)),
    ("Quobyte", "quobyte", Pointer(QUOBYTE)),
    ("ISCSI", "iscsi", Pointer(ISCSI)),
    (
        "FlexVolume",
        "flexVolume",
        Pointer(&[("Driver", "driver", Text), FS, SECRET, READ_ONLY, ("Options", "options", Any)]),
    ),
    ("Cinder", "cinder", Pointer(&[VOLUME_ID, FS, READ_ONLY, SECRET])),
    ("CephFS", "cephfs", Pointer(CEPHFS)),
    ("FC", "fc", Pointer(FC)),
    ("Flocker", "flocker", Pointer(&[("DatasetName", "datasetName", Text), ("DatasetUUID", "datasetUUID", Text)])),
    ("AzureFile", "azureFile", Pointer(AZURE_FILE)),
    ("VsphereVolume", "vsphereVolume", Pointer(VSPHERE)),
    ("AzureDisk", "azureDisk", Pointer(AZURE_DISK)),
    ("PhotonPersistentDisk", "photonPersistentDisk", Pointer(&[("PdID", "pdID", Text), FS])),
    ("PortworxVolume", "portworxVolume", Pointer(&[VOLUME_ID, FS, READ_ONLY])),
    ("ScaleIO", "scaleIO", Pointer(SCALE_IO)),
    ("Local", "local", Pointer(&[("Path", "path", Text), ("FSType", "fsType", Any)])),
    ("StorageOS", "storageos", Pointer(STORAGE_OS)),
    ("CSI", "csi", Pointer(CSI)),
];

const GLUSTERFS: Fields = &[
    ("EndpointsName", "endpoints", Text),
    ("Path", "path", Text),
    READ_ONLY,
    ("EndpointsNamespace", "endpointsNamespace", Any),
];
const RBD: Fields = &[
    ("CephMonitors", "monitors", Any),
    ("RBDImage", "image", Text),
    FS,
    ("RBDPool", "pool", Text),
    ("RadosUser", "user", Text),
    ("Keyring", "keyring", Text),
    SECRET,
    READ_ONLY,
];
const QUOBYTE: Fields = &[
    ("Registry", "registry", Text),
    ("Volume", "volume", Text),
    READ_ONLY,
    ("User", "user", Text),
    ("Group", "group", Text),
    ("Tenant", "tenant", Text),
];
const ISCSI: Fields = &[
    ("TargetPortal", "targetPortal", Text),
    ("IQN", "iqn", Text),
    ("Lun", "lun", Number),
    ("ISCSIInterface", "iscsiInterface", Text),
    FS,
    READ_ONLY,
    ("Portals", "portals", Any),
    ("DiscoveryCHAPAuth", "chapAuthDiscovery", Flag),
    ("SessionCHAPAuth", "chapAuthSession", Flag),
    SECRET,
    ("InitiatorName", "initiatorName", Any),
];
const CEPHFS: Fields = &[
    ("Monitors", "monitors", Any),
    ("Path", "path", Text),
    ("User", "user", Text),
    ("SecretFile", "secretFile", Text),
    SECRET,
    READ_ONLY,
];
const FC: Fields = &[("TargetWWNs", "targetWWNs", Any), ("Lun", "lun", Any), FS, READ_ONLY, ("WWIDs", "wwids", Any)];
const AZURE_FILE: Fields = &[
    ("SecretName", "secretName", Text),
    ("ShareName", "shareName", Text),
    READ_ONLY,
    ("SecretNamespace", "secretNamespace", Any),
];
const VSPHERE: Fields = &[
    ("VolumePath", "volumePath", Text),
    FS,
    ("StoragePolicyName", "storagePolicyName", Text),
    ("StoragePolicyID", "storagePolicyID", Text),
];
const AZURE_DISK: Fields = &[
    ("DiskName", "diskName", Text),
    ("DataDiskURI", "diskURI", Text),
    ("CachingMode", "cachingMode", Any),
    ("FSType", "fsType", Any),
    ("ReadOnly", "readOnly", Any),
    ("Kind", "kind", Any),
];
const SCALE_IO: Fields = &[
    ("Gateway", "gateway", Text),
    ("System", "system", Text),
    SECRET,
    ("SSLEnabled", "sslEnabled", Flag),
    ("ProtectionDomain", "protectionDomain", Text),
    ("StoragePool", "storagePool", Text),
    ("StorageMode", "storageMode", Text),
    ("VolumeName", "volumeName", Text),
    FS,
    READ_ONLY,
];
const STORAGE_OS: Fields = &[
    ("VolumeName", "volumeName", Text),
    ("VolumeNamespace", "volumeNamespace", Text),
    FS,
    READ_ONLY,
    ("SecretRef", "secretRef", Pointer(REFERENCE)),
];
const REFERENCE: Fields = &[
    ("Kind", "kind", Text),
    ("Namespace", "namespace", Text),
    ("Name", "name", Text),
    ("UID", "uid", Text),
    ("APIVersion", "apiVersion", Text),
    ("ResourceVersion", "resourceVersion", Text),
    ("FieldPath", "fieldPath", Text),
];
const CSI: Fields = &[
    ("Driver", "driver", Text),
    ("VolumeHandle", "volumeHandle", Text),
    READ_ONLY,
    FS,
    ("VolumeAttributes", "volumeAttributes", Any),
    ("ControllerPublishSecretRef", "controllerPublishSecretRef", Pointer(SECRET_REFERENCE)),
    ("NodeStageSecretRef", "nodeStageSecretRef", Pointer(SECRET_REFERENCE)),
    ("NodePublishSecretRef", "nodePublishSecretRef", Pointer(SECRET_REFERENCE)),
    ("ControllerExpandSecretRef", "controllerExpandSecretRef", Pointer(SECRET_REFERENCE)),
    ("NodeExpandSecretRef", "nodeExpandSecretRef", Pointer(SECRET_REFERENCE)),
];
