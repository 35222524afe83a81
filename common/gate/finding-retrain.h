/* The words of the rejections of a retrain branch, as gate/finding.h has those of the others. */
#ifndef MODELGATE_GATE_FINDING_RETRAIN_H
#define MODELGATE_GATE_FINDING_RETRAIN_H

struct actor;
struct names_retrain;
struct oid;
struct strlist;
struct verdict;

#define FINDING_RETRAIN_MAX_PATHS 5 /* of MG207, named */

/* MG401: who may create retrain branches. */
void finding_retrain_role(
	struct verdict *v, const struct actor *actor, const struct strlist *roles);
/* MG202.  PARTS: of V's branch; TODAY: as it could be written. */
void finding_retrain_date(struct verdict *v, const struct names_retrain *parts, const char *today);
void finding_retrain_future(
	struct verdict *v, const struct names_retrain *parts, const char *today);
/* MG203 */
void finding_retrain_zeros(struct verdict *v, const struct names_retrain *parts);
void finding_retrain_unknown(struct verdict *v, const struct names_retrain *parts);
/* MG204 */
void finding_retrain_moved(struct verdict *v);
enum finding_retrain_use {
	FINDING_RETRAIN_IN_PUSH, /* created by the same push */
	FINDING_RETRAIN_IS_THERE,
	FINDING_RETRAIN_WAS_THERE
};
/* OTHER: the branch that has the pipeline and the day already; perhaps of the very same name. */
void finding_retrain_used(struct verdict *v, const char *other, enum finding_retrain_use use);
/* MG206.  BASE: the commit of the pipeline. */
enum finding_retrain_base { FINDING_RETRAIN_NOT_HELD, FINDING_RETRAIN_NOT_THERE };
void finding_retrain_origin(
	struct verdict *v, const struct oid *base, enum finding_retrain_base why);
/* MG207.  PATHS: those that differ from BASE; of more than FINDING_RETRAIN_MAX_PATHS it says so. */
void finding_retrain_paths(struct verdict *v, const struct oid *base, const struct strlist *paths);
/* MG302 */
void finding_retrain_no_model(struct verdict *v);
void finding_retrain_folder(struct verdict *v);
/* MG303.  FAULT: with the line and the field, see pointer_parse(). */
void finding_retrain_model(struct verdict *v, const char *fault);

#endif
