/* A version of an MLflow server's registered model comes into another stage: by stages, aliases, or both. */
#ifndef MODELGATE_STAGE_MLFLOW_MOVE_H
#define MODELGATE_STAGE_MLFLOW_MOVE_H

struct err;
struct mlflow;
struct registry_move;

/*
 * Carry out M as registry_transition() does; PROMOTION is an enum config_promotion.  Done again after a
 * kill or a fault at any call, it leaves what once leaves.
 */
int mlflow_move(struct mlflow *server, int promotion, const struct registry_move *m, struct err *e);

#endif
