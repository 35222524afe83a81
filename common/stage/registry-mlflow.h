/* The registry of an MLflow server: see mlflow-view.h for what stands where. */
#ifndef MODELGATE_STAGE_REGISTRY_MLFLOW_H
#define MODELGATE_STAGE_REGISTRY_MLFLOW_H

struct registry_backend;

extern const struct registry_backend registry_mlflow;

/*
 * ADDRESS of a model as a source that MLflow takes, the caller's to free().  MLflow refuses paths of the
 * file system, and from 3.x on http and https, whose place it would be asked to read: those become
 * dvc://PLACE, without the parts "." and "..".
 */
char *registry_mlflow_source(const char *address);

#endif
