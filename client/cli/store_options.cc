// The command line of `genoserve store`.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/store.h"

namespace genoserve {
namespace {

constexpr char kStoreExamples[] =
    "Examples:\n"
    "  export GENOSERVE_STORE=s3://bucket/models\n"
    "  genoserve store ls\n"
    "  genoserve store label five canary 8     # a share of new streams goes to it, as the server is configured\n"
    "  genoserve store promote five            # it answers all requests that name no version\n"
    "  genoserve store rollback five           # and the one before does again\n"
    "  genoserve store gc --keep 5 --dry-run\n"
    "  genoserve store copy five@stable /backup/models\n\n"
    "Servers act on labels and versions at their next look at the store.\n"
    "S3 stores: s3://BUCKET/PREFIX?endpoint=URL&region=REGION&path_style=true, credentials as for other AWS tools.\n\n";

constexpr char kVersionHelp[] = "model, and its version or a label of it";

void AddStore(CLI::App* command, StoreArguments* arguments) {
  command->add_option("--store", arguments->store, "folder or s3://BUCKET/PREFIX; default: GENOSERVE_STORE")
      ->type_name("URL");
}

CLI::App* AddCommand(CLI::App* store, const std::string& name, const std::string& description,
                     StoreArguments* arguments) {
  CLI::App* command = store->add_subcommand(name, description);
  AddStore(command, arguments);
  command->footer(kExitCodeHelp);
  return command;
}

CLI::Option* AddModel(CLI::App* command, const std::string& type, const std::string& help, StoreArguments* arguments) {
  return command->add_option("model", arguments->model, help)->type_name(type);
}

void AddJson(CLI::App* command, StoreArguments* arguments) { command->add_flag("--json", arguments->json, "as JSON"); }

}  // namespace

void AddStoreCommands(CLI::App* app, StoreArguments* arguments) {
  CLI::App* store = app->add_subcommand("store", "What a checkpoint store has: look, check, label, copy, tidy up");
  store->require_subcommand(1);
  AddStore(store, arguments);
  store->footer(absl::StrCat(kStoreExamples, kExitCodeHelp));

  CLI::App* ls = AddCommand(store, "ls", "Models, versions and labels", arguments);
  AddModel(ls, "NAME[@VERSION]", "these only", arguments);
  AddJson(ls, arguments);

  CLI::App* verify = AddCommand(store, "verify", "Read every file and check it, as a server would", arguments);
  AddModel(verify, "NAME[@VERSION]", "these only", arguments);
  AddJson(verify, arguments);

  CLI::App* gc = AddCommand(store, "gc", "Remove what dead publishers left, and old versions", arguments);
  gc->add_option("--older-than", arguments->older_than,
                 "unfinished uploads that nobody touched for this time; default 24h")
      ->type_name("TIME");
  gc->add_option("--keep", arguments->keep,
                 "also remove versions but the newest COUNT of each model and those with labels or pins")
      ->type_name("COUNT");
  gc->add_flag("--dry-run", arguments->dry_run, "tell what would be removed");
  AddJson(gc, arguments);

  CLI::App* copy = AddCommand(store, "copy", "Publish a version in another store, byte for byte", arguments);
  AddModel(copy, "NAME[@VERSION]", "model, and its version or a label of it; default: the newest", arguments)
      ->required();
  copy->add_option("target", arguments->target, "folder or s3://BUCKET/PREFIX to copy to")
      ->type_name("URL")
      ->required();
  copy->add_option("--as", arguments->target_model, "another name for the model there")->type_name("NAME");
  AddJson(copy, arguments);

  CLI::App* pin = AddCommand(store, "pin", "Have gc leave a version", arguments);
  AddModel(pin, "NAME@VERSION", kVersionHelp, arguments)->required();
  pin->add_flag("--remove", arguments->remove, "have gc treat it as any other");

  CLI::App* label = AddCommand(store, "label", "Tell where a label points, or move it", arguments);
  AddModel(label, "NAME", "model", arguments)->required();
  label
      ->add_option("label", arguments->label,
                   "\"stable\" answers requests that name no version; \"canary\" has a share of them; any other name")
      ->type_name("LABEL")
      ->required();
  label->add_option("version", arguments->version, "to point at, or a label that points there")->type_name("VERSION");
  label->add_flag("--remove", arguments->remove, "remove the label");

  CLI::App* rollback = AddCommand(store, "rollback", "Have the label stable point where it did before", arguments);
  AddModel(rollback, "NAME", "model", arguments)->required();

  CLI::App* promote =
      AddCommand(store, "promote", "Have the label stable point where canary does, and remove canary", arguments);
  AddModel(promote, "NAME", "model", arguments)->required();
}

}  // namespace genoserve
