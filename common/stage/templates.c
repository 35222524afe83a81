#include "stage/templates.h"

#include "base/embed.h"

EMBED(templates_dag, "config/dag.py.template");
EMBED(templates_dag_retrain, "config/dag-retrain.py.template");
EMBED(templates_serving, "config/serving.yaml.template");
EMBED(templates_check_dag, "config/check-dag.py");
EMBED(templates_first_model, "config/project/model.pkl");
EMBED(templates_readme, "config/project/README.md");
EMBED(templates_dockerfile, "config/project/Dockerfile");
EMBED(templates_requirements, "config/project/requirements.txt");
EMBED(templates_score, "config/project/score.py");
EMBED(templates_retrain, "config/project/retrain.py");
EMBED(templates_gitignore, "config/project/gitignore");
EMBED(templates_dvc_config, "config/project/dvc-config");
EMBED(templates_dvc_gitignore, "config/project/dvc-gitignore");
EMBED(templates_rkl_gitignore, "config/project/rkl-gitignore");
EMBED(templates_pointer, "config/project/model.pkl.dvc");

const struct templates_file templates_project[] = {
	{"README.md", TEMPLATES_FILL, templates_readme},
	{"Dockerfile", TEMPLATES_COPY, templates_dockerfile},
	{"requirements.txt", TEMPLATES_COPY, templates_requirements},
	{"score.py", TEMPLATES_COPY, templates_score},
	{"retrain.py", TEMPLATES_COPY, templates_retrain},
	{"dag.py", TEMPLATES_COPY, templates_dag},
	{"dag-retrain.py", TEMPLATES_COPY, templates_dag_retrain},
	{".gitignore", TEMPLATES_COPY, templates_gitignore},
	{".dvc/config", TEMPLATES_FILL, templates_dvc_config},
	{".dvc/.gitignore", TEMPLATES_COPY, templates_dvc_gitignore},
	{"rkl/.gitignore", TEMPLATES_COPY, templates_rkl_gitignore},
	{"rkl/model.pkl.dvc", TEMPLATES_FILL, templates_pointer},
	{0},
};
