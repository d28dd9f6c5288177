import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import type { NewApiKey } from "../api/answers-system.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { useMaking } from "../parts/shown-once.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import styles from "./system.module.css";

const ROLES = [
  { value: "reader", label: "Reader: sees, and changes nothing" },
  { value: "publisher", label: "Publisher: publishes events, sees nothing" },
  { value: "admin", label: "Administrator: sees and changes all" },
];

const LIVES = [
  { value: "30d", label: "30 days" },
  { value: "90d", label: "90 days" },
  { value: "365d", label: "365 days" },
  { value: "", label: "Never" },
];

export function NewKeyDialog({
  onMade,
  onClose,
}: {
  readonly onMade: () => void;
  readonly onClose: () => void;
}) {
  const { ask, caller } = useSession();
  const making = useMaking("token");
  const [name, setName] = useState("");
  const [role, setRole] = useState("reader");
  const [tenantId, setTenantId] = useState("");
  const [expiresIn, setExpiresIn] = useState("90d");
  const [perSecond, setPerSecond] = useState("");
  const body = {
    name: name.trim(),
    role,
    ...(tenantId.trim() !== "" && { tenantId: tenantId.trim() }),
    ...(expiresIn !== "" && { expiresIn }),
    // What is no number is told by control, which knows the range; so is `1,000`, which is one to some and a thousand to others.
    ...(perSecond.trim() !== "" && {
      limitPerSecond: Number(perSecond),
    }),
  };
  return (
    <ChangeDialog
      title="New API key"
      confirm="Make the key"
      canConfirm={body.name !== ""}
      change={(why) =>
        making(ask<NewApiKey>("v1/keys", { body, why }), tokenOf)
      }
      onDone={onMade}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        description="For people: which program or person has it"
        maxLength={128}
        required
        withAsterisk={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <NativeSelect
        label="Role"
        data={ROLES}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value)}
      />
      {caller.tenantId === null ? (
        <TextInput
          label="Tenant"
          description="The only one that it may see and change; empty: every tenant"
          value={tenantId}
          onChange={(event) => setTenantId(event.currentTarget.value)}
        />
      ) : (
        <p className={styles.note}>It is a key of {caller.tenantId} alone.</p>
      )}
      <NativeSelect
        label="Expires after"
        data={LIVES}
        value={expiresIn}
        onChange={(event) => setExpiresIn(event.currentTarget.value)}
      />
      <TextInput
        label="Requests per second, to each process"
        description="Empty: no limit"
        inputMode="decimal"
        value={perSecond}
        onChange={(event) => setPerSecond(event.currentTarget.value)}
      />
    </ChangeDialog>
  );
}

function tokenOf({ name, token }: NewApiKey) {
  return {
    value: token,
    note: (
      <>
        The key <Text>{name}</Text> is made. Its token is shown here and now,
        and never again. Store it where secrets are kept.
      </>
    ),
  };
}
