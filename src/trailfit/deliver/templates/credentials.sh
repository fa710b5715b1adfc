#!/usr/bin/env bash
# Unused credentials of the AWS account @ACCOUNT@, as CloudTrail and IAM showed it from @WINDOW@.
# Written by trailfit, which never runs it. Read it, then, with credentials of that account:
#
#   bash @ACCOUNT@.sh list          what it is about, and what has been done
#   bash @ACCOUNT@.sh deactivate    stage one: keys inactive, passwords unknown to all, users denied everything
#   bash @ACCOUNT@.sh undo          the way back from stage one
#   bash @ACCOUNT@.sh delete        stage two, @DAYS@ days after stage one: what is still unused is deleted for good
#
# Each asks before it begins; --yes answers. What was done is noted beside the script, in @ACCOUNT@.done: keep that file.
@LEFT@set -euo pipefail
export AWS_PAGER=""

account="@ACCOUNT@"
days="@DAYS@"
done_file="$(dirname -- "${BASH_SOURCE[0]}")/$account.done"
deny_policy="trailfit-deactivated"
deny='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'

everything() {
@ITEMS@
}

note() { printf '%s %s\n' "$(date -u +%s)" "$*" >> "$done_file"; }
was_done() { grep -qE "^[0-9]+ $(printf '%s' "$*" | sed 's/[][\.*^$+?(){}|]/\\&/g')\$" "$done_file" 2>/dev/null; }
forget() {
    grep -vE "^[0-9]+ $(printf '%s' "$*" | sed 's/[][\.*^$+?(){}|]/\\&/g')\$" "$done_file" > "$done_file.new" || true
    mv -- "$done_file.new" "$done_file"
}
is_old_enough() {
    local when
    when="$(grep -E "^[0-9]+ $(printf '%s' "$*" | sed 's/[][\.*^$+?(){}|]/\\&/g')\$" "$done_file" 2>/dev/null | tail -n 1 | cut -d ' ' -f 1)" || true
    [ -n "$when" ] && [ "$(($(date -u +%s) - when))" -ge "$((days * 86400))" ]
}
lines() { tr '\t' '\n' | grep -v -x -e None -e '' || true; }

key() { # user, key ID
    local user="$1" id="$2" status last
    status="$(aws iam list-access-keys --user-name="$user" --query "AccessKeyMetadata[?AccessKeyId=='$id'].Status" --output text)"
    case "$stage" in
        list) echo "key $id of $user: ${status:-gone}" ;;
        deactivate)
            if [ "$status" = Active ]; then
                aws iam update-access-key --user-name="$user" --access-key-id="$id" --status=Inactive
                note key "$user" "$id"
                echo "key $id of $user is inactive"
            fi ;;
        undo)
            if was_done key "$user" "$id" && [ "$status" = Inactive ]; then
                aws iam update-access-key --user-name="$user" --access-key-id="$id" --status=Active
                forget key "$user" "$id"
                echo "key $id of $user is active again"
            fi ;;
        delete)
            if [ "$status" != Inactive ] || ! is_old_enough key "$user" "$id"; then
                echo "key $id of $user stays: it is ${status:-gone}, or was not deactivated $days days ago"
            else
                aws iam delete-access-key --user-name="$user" --access-key-id="$id"
                forget key "$user" "$id"
                echo "key $id of $user is deleted"
            fi ;;
    esac
}

has_password() { aws iam get-login-profile --user-name="$1" --output text > /dev/null 2>&1; }

password() { # user
    local user="$1" unknown
    case "$stage" in
        list) if has_password "$user"; then echo "password of $user: there"; else echo "password of $user: gone"; fi ;;
        deactivate)
            if has_password "$user" && ! was_done password "$user"; then
                unknown="aA1!$(head -c 30 /dev/urandom | base64 | tr -d '\n')"
                # by a file that only you can read, so that no list of processes shows it
                input="$(mktemp)"
                trap 'rm -f -- "$input"' EXIT
                printf '{"UserName":"%s","Password":"%s","PasswordResetRequired":false}' "$user" "$unknown" > "$input"
                aws iam update-login-profile --cli-input-json "file://$input"
                rm -f -- "$input"
                note password "$user"
                echo "password of $user is one that nobody knows"
            fi ;;
        undo)
            if was_done password "$user"; then
                echo "password of $user: give a new one with"
                echo "  aws iam update-login-profile --user-name='$user' --password-reset-required --password …"
                forget password "$user"
            fi ;;
        delete)
            if ! has_password "$user" || ! is_old_enough password "$user"; then
                echo "password of $user stays: it is gone, or was not deactivated $days days ago"
            else
                aws iam delete-login-profile --user-name="$user"
                forget password "$user"
                echo "password of $user is deleted"
            fi ;;
    esac
}

user() { # user
    local user="$1"
    case "$stage" in
        list) echo "user $user: $(aws iam get-user --user-name="$user" --query User.Arn --output text 2>/dev/null || echo gone)" ;;
        deactivate)
            if ! was_done user "$user"; then
                aws iam put-user-policy --user-name="$user" --policy-name="$deny_policy" --policy-document="$deny"
                note user "$user"
                echo "user $user is denied everything"
            fi ;;
        undo)
            if was_done user "$user"; then
                aws iam delete-user-policy --user-name="$user" --policy-name="$deny_policy"
                forget user "$user"
                echo "user $user may again what its policies say"
            fi ;;
        delete)
            if ! is_old_enough user "$user"; then
                echo "user $user stays: it was not deactivated $days days ago"
            else
                delete_user "$user"
                forget user "$user"
                echo "user $user is deleted"
            fi ;;
    esac
}

# IAM deletes a user only after all that belongs to it.
delete_user() {
    local user="$1" one
    aws iam list-access-keys --user-name="$user" --query 'AccessKeyMetadata[].AccessKeyId' --output text | lines \
        | while read -r one; do aws iam delete-access-key --user-name="$user" --access-key-id="$one"; done
    if has_password "$user"; then aws iam delete-login-profile --user-name="$user"; fi
    aws iam list-mfa-devices --user-name="$user" --query 'MFADevices[].SerialNumber' --output text | lines \
        | while read -r one; do aws iam deactivate-mfa-device --user-name="$user" --serial-number="$one"; done
    aws iam list-signing-certificates --user-name="$user" --query 'Certificates[].CertificateId' --output text | lines \
        | while read -r one; do aws iam delete-signing-certificate --user-name="$user" --certificate-id="$one"; done
    aws iam list-ssh-public-keys --user-name="$user" --query 'SSHPublicKeys[].SSHPublicKeyId' --output text | lines \
        | while read -r one; do aws iam delete-ssh-public-key --user-name="$user" --ssh-public-key-id="$one"; done
    aws iam list-service-specific-credentials --user-name="$user" --query 'ServiceSpecificCredentials[].ServiceSpecificCredentialId' --output text | lines \
        | while read -r one; do aws iam delete-service-specific-credential --user-name="$user" --service-specific-credential-id="$one"; done
    aws iam list-groups-for-user --user-name="$user" --query 'Groups[].GroupName' --output text | lines \
        | while read -r one; do aws iam remove-user-from-group --user-name="$user" --group-name="$one"; done
    aws iam list-attached-user-policies --user-name="$user" --query 'AttachedPolicies[].PolicyArn' --output text | lines \
        | while read -r one; do aws iam detach-user-policy --user-name="$user" --policy-arn="$one"; done
    aws iam list-user-policies --user-name="$user" --query 'PolicyNames[]' --output text | lines \
        | while read -r one; do aws iam delete-user-policy --user-name="$user" --policy-name="$one"; done
    aws iam delete-user --user-name="$user"
}

stage="${1:-}"
case "$stage" in
    list | deactivate | undo | delete) ;;
    *) sed -n '2,/^# Each asks/p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
here="$(aws sts get-caller-identity --query Account --output text)"
if [ "$here" != "$account" ]; then
    echo "these credentials are of the account $here, not of $account" >&2
    exit 2
fi
if [ "$stage" != list ] && [ "${2:-}" != --yes ]; then
    read -r -p "$stage in $account? Type yes: " answer
    [ "$answer" = yes ] || exit 1
fi
everything
